import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PrefixProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/prefix/` */
  readonly url: string;
}

/** A reverse proxy that shows `target` below a path of its own, as people set one up: it takes the prefix off and says for whom it asks. */
export async function startPrefixProxy(target: string, prefix: string): Promise<PrefixProxy> {
  const server = createServer((asked, reply) => {
    const path = asked.url ?? '/';
    if (!path.startsWith(`${prefix}/`)) {
      reply.writeHead(404).end();
      return;
    }
    const forwarded = request(
      new URL(path.slice(prefix.length), target),
      { method: asked.method, headers: { ...asked.headers, 'x-forwarded-for': asked.socket.remoteAddress } },
      (answer) => {
        reply.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(reply);
        answer.on('close', () => answer.complete || reply.destroy());
      },
    );
    forwarded.on('error', () => reply.destroy());
    reply.on('close', () => forwarded.destroy());
    asked.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${prefix}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
