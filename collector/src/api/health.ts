import type { FastifyPluginAsync } from 'fastify';
import { prometheusContentType } from './prometheus.ts';

/** What stands between the collector and its work; empty when it is ready. Sentences for the person who operates it. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** What goes wrong although it works. */
  readonly complaints?: readonly string[];
}

export interface HealthParts {
  /** Must answer within its own time limit, also when the database does not. */
  readonly readiness: () => Promise<Readiness>;
  readonly metricsText: () => Promise<string>;
}

/** `/healthz` and `/readyz`: for supervisors and load balancers; they tell nothing about the fleet and ask for no token. */
export function healthRoutes({ readiness }: Pick<HealthParts, 'readiness'>): FastifyPluginAsync {
  return async (app) => {
    app.get('/healthz', { schema: { hide: true } }, async (_request, reply) => {
      return reply.header('cache-control', 'no-store').send({ status: 'alive' });
    });
    app.get('/readyz', { schema: { hide: true } }, async (request, reply) => {
      const answer = await readiness().catch((error: unknown) => {
        request.log.warn({ err: error }, 'could not find out whether the collector is ready');
        return { ready: false, reasons: ['the check itself failed; the log says why'] };
      });
      return reply
        .code(answer.ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(bodyOf(answer));
    });
  };
}

/** `degraded` answers 200: to restart it or to take it out of service would help nobody. */
function bodyOf({ ready, reasons, complaints = [] }: Readiness): { status: string; reasons: string[] } {
  const status = ready ? (complaints.length > 0 ? 'degraded' : 'ready') : 'not_ready';
  return { status, reasons: [...reasons, ...complaints] };
}

/** `/metrics` in Prometheus text. */
export function metricsRoute({ metricsText }: Pick<HealthParts, 'metricsText'>): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics', { config: { role: 'viewer' }, schema: { hide: true } }, async (_request, reply) => {
      const text = await metricsText();
      return reply.type(prometheusContentType).header('cache-control', 'no-store').send(text);
    });
  };
}
