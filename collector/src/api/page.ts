import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { filePolicy, pagePolicy } from './headers.ts';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Their names change with their content (vite). */
const hashed = /^assets\//;

/**
 * The dashboard, as `npm run build` left it in `dir`, open to everyone: it holds no data. Beside its files every path that a
 * browser opens as a page answers index.html, in which all addresses are relative to that path: it works below any prefix.
 * Rejects when there is no index.html.
 */
export function pageRoutes({ dir }: { dir: string }): FastifyPluginAsync {
  return async (app) => {
    const index = await readFile(join(dir, 'index.html'), 'utf8');
    for (const file of await filesBelow(dir)) {
      const type = types[extname(file)];
      if (type !== undefined) await app.register(fileRoute({ dir, file, type }));
    }
    app.get('/*', { schema: { hide: true } }, async (request, reply) => {
      const path = request.url.split('?')[0] ?? '/';
      if (!isPage(request, path)) return reply.callNotFound();
      const nonce = randomBytes(16).toString('base64');
      reply.headers({ 'cache-control': 'no-cache', 'content-security-policy': pagePolicy(nonce) });
      return reply.type('text/html; charset=utf-8').send(pageAt(index, { path, nonce }));
    });
  };
}

/** `index.html` for a request of this path: its addresses lead back to the root, its styles carry the nonce. */
export function pageAt(index: string, { path, nonce }: { path: string; nonce: string }): string {
  const root = '../'.repeat(path.split('/').length - 2) || './';
  return index.replaceAll('="./', `="${root}`).replace('nonce=""', `nonce="${nonce}"`);
}

function isPage({ headers }: FastifyRequest, path: string): boolean {
  if (path === '/') return true;
  return !/^\/(?:api|agent|assets)(?:\/|$)/.test(path) && (headers.accept ?? '').includes('text/html');
}

/** A compressed copy lies beside each large file: `app.js.gz`. */
function fileRoute({ dir, file, type }: { dir: string; file: string; type: string }): FastifyPluginAsync {
  return async (app) => {
    const bytes = await readFile(join(dir, file));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const packed = await readFile(join(dir, `${file}.gz`)).catch(() => null);
    const cacheControl = hashed.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache';
    app.get(`/${file}`, { schema: { hide: true } }, async (request, reply) => {
      reply.headers({
        etag,
        'cache-control': cacheControl,
        'content-security-policy': filePolicy,
        vary: 'accept-encoding',
      });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      reply.type(type);
      if (packed === null || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(bytes);
      return reply.header('content-encoding', 'gzip').send(packed);
    });
  };
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'));
}
