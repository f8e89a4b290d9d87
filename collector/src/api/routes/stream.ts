import type { FastifyPluginAsync } from 'fastify';
import { type AuthOptions, askerOf } from '../auth.ts';
import { unavailable } from '../errors.ts';
import type { StreamHub } from '../stream.ts';

/** A reader costs a socket and its buffer; more than this is not people looking at pages. */
const readersMax = 500;

interface StreamRouteParts {
  readonly hub: StreamHub;
  readonly auth: Pick<AuthOptions, 'isStill'>;
}

/** `GET /stream`: server-sent events named `node`, `task`, `incident`, `removed` and `sample`. */
export function streamRoutes({ hub, auth }: StreamRouteParts): FastifyPluginAsync {
  return async (app) => {
    app.get(
      '/stream',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['live'],
          summary: 'Live changes as server-sent events.',
          description:
            'Events `node`, `task` and `incident` carry the record as its listing shows it, `sample` carries `{node_id, sample}`, `removed` carries `{kind, id}`. Nothing is replayed: after a reconnect read the listings again. It ends when its token is removed, expires or gets another role.',
        },
      },
      async (request, reply) => {
        if (hub.readerCount >= readersMax) throw unavailable(`${readersMax} live streams are open already; close some`);
        const asker = askerOf(request);
        reply.hijack();
        const { raw } = reply;
        raw.writeHead(200, {
          ...textHeaders(reply.getHeaders()),
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        });
        raw.write('retry: 2000\n: welcome\n\n');
        const letGo = hub.add({
          write: (text) => raw.write(text),
          unreadBytes: () => raw.writableLength,
          mayStay: () => auth.isStill(asker),
          cutOff: () => raw.destroy(),
        });
        raw.on('close', letGo);
        raw.on('error', (error) => request.log.debug({ err: error }, 'a stream reader went away'));
      },
    );
  };
}

function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
