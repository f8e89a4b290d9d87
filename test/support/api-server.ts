import { fileURLToPath } from 'node:url';
import type { AuditTrail } from '@runnerwatch/collector/api/audit.ts';
import type { AuthOptions } from '@runnerwatch/collector/api/auth.ts';
import type { HealthParts } from '@runnerwatch/collector/api/health.ts';
import type { CollectorStatus } from '@runnerwatch/collector/api/schemas/status.ts';
import { buildServer } from '@runnerwatch/collector/api/server.ts';
import { type Bus, createBus, createStreamHub, type LoadRecord } from '@runnerwatch/collector/api/stream.ts';
import { toDatabaseError } from '@runnerwatch/collector/db/errors.ts';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { pino } from 'pino';

export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly bus: Bus;
}

export const quietStatus: CollectorStatus = {
  version: '0.1.0',
  started_at: '2026-11-22T04:00:00.000Z',
  uptime_ms: 61_000,
  agents: { connected: 1 },
  nodes_by_status: { online: 1 },
  incidents_open: 0,
  database: { kind: 'embedded', healthy: true, reason: null },
  queues: { events_unjudged: 0, notifications_pending: 0, notifications_dead: 0 },
  notification_latency: { count: 0, p50_ms: null, p90_ms: null, p99_ms: null, promise_ms: 5000, later_count: 0 },
  receivers: [],
  deputies: [],
  schedulers: [],
};

export interface TestApiOptions {
  readonly routes?: readonly (FastifyPluginAsync | FastifyPluginAsyncZod)[];
  readonly auth?: Partial<AuthOptions>;
  readonly audit?: AuditTrail;
  readonly status?: () => Promise<CollectorStatus>;
  readonly ready?: HealthParts['readiness'];
  readonly metricsText?: () => Promise<string>;
  readonly load?: LoadRecord;
  readonly unreadBytesMax?: number;
  readonly heartbeatMs?: number;
  readonly port?: number;
  readonly headersWithinMs?: number;
}

/** The real HTTP server on a free port of loopback, with the given resources behind it. */
export async function startApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { app, bus } = await buildApi(options);
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return { url, bus, [Symbol.asyncDispose]: () => app.close() };
}

/** The same, not listening. */
export async function buildApi(options: TestApiOptions = {}): Promise<{ app: FastifyInstance; bus: Bus }> {
  const log = pino({ level: 'silent' });
  const bus = createBus();
  const load = options.load ?? (async (id) => ({ id }));
  const app = await buildServer({
    routes: options.routes ?? [],
    auth: {
      listenHost: '127.0.0.1',
      publicUrl: null,
      hostname: 'testnode',
      requireToken: false,
      localRole: 'admin',
      findAsker: () => null,
      isStill: () => true,
      now: Date.now,
      ...options.auth,
    },
    audit: options.audit ?? { write: async () => {} },
    status: options.status ?? (async () => quietStatus),
    readiness: options.ready ?? (async () => ({ ready: true, reasons: [] })),
    isPassing: (error) => toDatabaseError(error).retryable,
    metricsText: options.metricsText ?? (async () => 'up 1\n'),
    hub: createStreamHub({
      bus,
      load: { node: load, task: load, incident: load },
      log,
      gatherMs: 5,
      ...(options.unreadBytesMax === undefined ? {} : { unreadBytesMax: options.unreadBytesMax }),
      ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
    }),
    ...(options.headersWithinMs === undefined ? {} : { headersWithinMs: options.headersWithinMs }),
    pageDir: fileURLToPath(new URL('../../dist/web/', import.meta.url)),
    log,
  });
  return { app, bus };
}
