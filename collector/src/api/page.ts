import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';
import { pagePolicy } from './headers.ts';

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/** Served as they are, open to everyone: they hold no data. */
const files: readonly { path: string; file: string; type: string }[] = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/live.css', file: 'live.css', type: style },
  { path: '/docs.css', file: 'docs.css', type: style },
  { path: '/favicon.svg', file: 'favicon.svg', type: 'image/svg+xml' },
  ...['live', 'source', 'dom', 'words', 'node-card', 'task-row'].map((name) => ({
    path: `/${name}.js`,
    file: `${name}.js`,
    type: script,
  })),
];

/** The live page: a few static files of `dir` (collector/web/live), read once. Rejects when one is missing. */
export function pageRoutes({ dir }: { dir: string }): FastifyPluginAsync {
  return async (app) => {
    for (const { path, file, type } of files) {
      const bytes = await readFile(join(dir, file));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      app.get(path, { schema: { hide: true } }, async (request, reply) => {
        reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': pagePolicy });
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        return reply.type(type).send(bytes);
      });
    }
  };
}
