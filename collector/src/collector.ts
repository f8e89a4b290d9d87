import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { defaultDataDir, ensureDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { createLogger } from '@runnerwatch/shared/runtime/logging.ts';
import { StopStack } from '@runnerwatch/shared/runtime/stop-stack.ts';
import { version } from '@runnerwatch/shared/runtime/version.ts';
import type { Logger } from 'pino';
import { AlertEngine } from './alerts/engine.ts';
import { createMetrics, type Metrics } from './api/metrics.ts';
import { deliveryRoutes } from './api/routes/deliveries.ts';
import { explainRoutes } from './api/routes/explain.ts';
import { incidentRoutes, loadIncident } from './api/routes/incidents.ts';
import { jobRoutes } from './api/routes/jobs.ts';
import { loadNodeRecord, nodeRoutes } from './api/routes/nodes.ts';
import { notifierRoutes } from './api/routes/notifiers.ts';
import { subscriptionRoutes } from './api/routes/subscriptions.ts';
import { taskRoutes } from './api/routes/tasks.ts';
import { buildServer } from './api/server.ts';
import { createBus, createStreamHub } from './api/stream.ts';
import type { CollectorConfig } from './config.ts';
import { type Credentials, openCredentials } from './credentials.ts';
import type { Database } from './db/database.ts';
import { toDatabaseError } from './db/errors.ts';
import { migrate } from './db/migrate.ts';
import { openDatabase } from './db/open.ts';
import { countOpenIncidents } from './incidents/store.ts';
import { createGateway, type Gateway } from './ingest/gateway.ts';
import { createGreeting } from './ingest/greeting.ts';
import { countUnjudged, deleteEventsBefore } from './ingest/store.ts';
import { createWriter } from './ingest/writer.ts';
import { listen, splitListen } from './listening.ts';
import { Liveness } from './nodes/liveness.ts';
import { countNodes, onlineNodeIds, saveTouches } from './nodes/store.ts';
import { createNotifiers } from './notifiers/catalogue.ts';
import { Deliverer } from './outbox/deliverer.ts';
import { sendTest } from './outbox/send-test.ts';
import { countNotifications } from './outbox/store.ts';
import { notifiersOf, policyOf } from './routing/config.ts';
import { startRetention } from './samples/retention.ts';
import { SampleStore } from './samples/store.ts';
import { startSelfWatch } from './self-watch.ts';
import { deleteTasksEndedBefore, findTask } from './tasks/store.ts';

export interface CollectorSystem {
  readonly pid: number;
  getuid?(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly memoryUsage: { rss(): number };
  cpuUsage(): { user: number; system: number };
  kill(pid: number, signal: string): unknown;
}

export interface CollectorOptions {
  readonly config: CollectorConfig;
  readonly signal: AbortSignal;
  readonly system: CollectorSystem;
}

/**
 * The collector, assembled. Doors (API, ingest) and loops (engine, deliverer) do not know each other: what one committed
 * nudges the next through the callbacks given here, and each loop's own tick is the guarantee. It starts from the database
 * outwards and stops in the opposite order, the doors first.
 */
export async function startCollector({ config, system }: CollectorOptions): Promise<AsyncDisposable> {
  const clock = systemClock;
  const dataDir = config.data_dir ?? defaultDataDir({ uid: system.getuid?.() ?? 0, home: homedir(), xdgStateHome: system.env['XDG_STATE_HOME'] });
  ensureDir(dataDir, 0o755);
  const folder = ensureDir(join(dataDir, 'collector'), 0o700);
  const log = createLogger('collector', { ...config.log, write: (line) => void system.stdout.write(line) });
  const parts = new StopStack();
  try {
    const database = await openDatabase({ url: config.database.url, dataDir: folder, log: named(log, 'db') });
    parts.defer(() => database.close());
    await migrate(database, { log: named(log, 'db') });
    const credentials = await openCredentials({ database, folder, now: clock.wallMs(), log });
    await startParts(parts, { config, system, database, credentials, clock, log });
    log.info({ listen: config.listen, data_dir: dataDir, database: database.kind, version }, 'collector started');
    return parts;
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

interface Ground {
  readonly config: CollectorConfig;
  readonly system: CollectorSystem;
  readonly database: Database;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Logger;
}

async function startParts(parts: StopStack, ground: Ground): Promise<void> {
  const { config, system, database, clock, log } = ground;
  const startedAt = clock.wallMs();
  const crashPoint = crashPoints(system);
  const metrics = createMetrics({ version, startedAt, process: system });
  parts.defer(() => metrics[Symbol.dispose]());
  const bus = createBus();
  const policy = policyOf(config.notifications);
  const samples = new SampleStore({ database, clock, log: named(log, 'samples') });
  const liveness = new Liveness({
    clock,
    log: named(log, 'liveness'),
    timeoutMs: config.heartbeat_timeout,
    save: (touches) => saveTouches(database.drizzle, touches),
    onReturned: () => engine.nudge(),
  });
  const deliverer = new Deliverer({
    db: database,
    notifiers: createNotifiers(notifiersOf(config.notifications), { log: named(log, 'notifier'), clock }),
    clock,
    log: named(log, 'outbox'),
    isAlone: database.kind === 'embedded',
    onDelivered: (latencyMs) => metrics.notificationDelivered(latencyMs),
    onFailed: (outcome) => metrics.deliveryFailed(outcome),
    onStep: crashPoint,
  });
  const engine: AlertEngine = new AlertEngine({
    db: database,
    policy,
    publicUrl: config.public_url ?? null,
    clock,
    log: named(log, 'engine'),
    overdue: () => liveness.overdue(),
    onPromised: () => deliverer.nudge(),
    onTouched: ({ kind, id }) => bus.publish({ kind, id }),
    onStep: crashPoint,
  });
  const gateway = openGateway(ground, { liveness, samples, metrics, engine, bus, crashPoint });
  const hub = createStreamHub({
    bus,
    load: {
      node: (id) => loadNodeRecord({ queries: database.drizzle, samples }, id),
      task: (id) => findTask(database.drizzle, id),
      incident: (id) => loadIncident(database, id),
    },
    log: named(log, 'stream'),
  });

  deliverer.start();
  parts.defer(() => deliverer[Symbol.asyncDispose]());
  engine.start();
  parts.defer(() => engine[Symbol.asyncDispose]());
  samples.start();
  parts.defer(() => samples[Symbol.asyncDispose]());
  liveness.start(await onlineNodeIds(database.drizzle));
  parts.defer(() => liveness[Symbol.asyncDispose]());
  parts.defer(startOwnJudgment(ground, engine));
  parts.defer(startRetentionOf(ground, samples));

  const readiness = async () => {
    const { healthy, reason } = await database.check();
    return { ready: healthy, reasons: reason === null ? [] : [reason] };
  };
  const app = await buildServer({
    routes: [
      nodeRoutes({ queries: database.drizzle, samples, clock, onChanged: (nodeId, change) => onNodeChanged({ gateway, liveness, samples, bus }, nodeId, change) }),
      taskRoutes({ queries: database.drizzle, clock }),
      jobRoutes({ queries: database.drizzle, clock }),
      incidentRoutes({ db: database, now: () => clock.wallMs(), onTouched: (id) => bus.publish({ kind: 'incident', id }) }),
      deliveryRoutes({ db: database, now: () => clock.wallMs(), onPromised: () => deliverer.nudge() }),
      subscriptionRoutes({ policy }),
      notifierRoutes({ receivers: policy.receivers, sendTest: (receiver) => sendTest({ db: database, deliverer, clock }, receiver) }),
      explainRoutes({ db: database }),
    ],
    auth: {
      listenHost: splitListen(config.listen).host,
      publicUrl: config.public_url ?? null,
      hostname: hostname(),
      requireToken: false,
      isToken: ground.credentials.isApiToken,
    },
    status: () => statusOf(ground, { metrics, gateway, startedAt }),
    isPassing: (error) => toDatabaseError(error).retryable,
    readiness,
    metricsText: async () => metrics.render({ ...(await gauges(database)), agent_sessions: gateway.connected().length, stream_readers: hub.readerCount, database_up: (await readiness()).ready }),
    hub,
    pageDir: pageDir(),
    log: named(log, 'api'),
  });
  app.server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head));
  parts.defer(() => app.close());
  parts.defer(() => gateway[Symbol.asyncDispose]());
  await listen(app.server, config.listen, system);
}

interface IngestParts {
  readonly liveness: Liveness;
  readonly samples: SampleStore;
  readonly metrics: Metrics;
  readonly engine: AlertEngine;
  readonly bus: ReturnType<typeof createBus>;
  readonly crashPoint: (step: string) => void;
}

function openGateway({ config, database, credentials, clock, log }: Ground, { liveness, samples, metrics, engine, bus, crashPoint }: IngestParts): Gateway {
  const publishNode = (nodeId: string) => bus.publish({ kind: 'node', id: nodeId });
  return createGateway({
    collectorId: credentials.collectorId,
    admit: async (token) =>
      token !== null && credentials.isAgentToken(token)
        ? { admitted: true }
        : { admitted: false, status: 401, code: 'unauthorized', message: 'the token does not admit agents here; it is in <data_dir>/collector/agent.token' },
    clock,
    log: named(log, 'ingest'),
    liveness,
    writer: createWriter({
      database,
      log: named(log, 'ingest'),
      onCommitted: ({ eventIds, taskIds }) => {
        metrics.eventsIngested(eventIds.length);
        engine.nudge();
        for (const id of taskIds) bus.publish({ kind: 'task', id });
      },
      crashPoint,
    }),
    greeting: createGreeting({ database, clock, log: named(log, 'ingest'), timeoutMs: config.heartbeat_timeout }),
    onConnected: publishNode,
    onDisconnected: publishNode,
    onSample: (nodeId, sample) => {
      samples.record(nodeId, sample);
      publishNode(nodeId);
    },
  });
}

function onNodeChanged(
  { gateway, liveness, samples, bus }: { gateway: Gateway; liveness: Liveness; samples: SampleStore; bus: ReturnType<typeof createBus> },
  nodeId: string,
  change: 'drained' | 'undrained' | 'removed',
): void {
  bus.publish({ kind: 'node', id: nodeId });
  if (change !== 'removed') return;
  gateway.disconnect(nodeId, 'goodbye');
  liveness.forget(nodeId);
  samples.forget(nodeId);
}

function startOwnJudgment({ config, system, clock, log }: Ground, engine: AlertEngine): () => Promise<void> {
  const { memory_pressure_bytes: bytes, high_cpu_percent: cpu } = config.self;
  const watch = startSelfWatch({
    limits: { memoryPressureBytes: bytes || null, highCpuPercent: cpu || null, forMs: 0 },
    own: system,
    report: (reports) => engine.takeOwn(`collector@${hostname()}`, reports),
    clock,
    log: named(log, 'self'),
  });
  return async () => watch[Symbol.asyncDispose]();
}

function startRetentionOf({ config, database, clock, log }: Ground, samples: SampleStore): () => Promise<void> {
  const retention = startRetention({
    clock,
    log: named(log, 'retention'),
    perishables: [
      { name: 'samples', keepMs: config.retention.samples_raw, deleteBefore: (before, limit) => samples.deleteBefore(before, limit) },
      { name: 'tasks', keepMs: config.retention.tasks, deleteBefore: (before, limit) => deleteTasksEndedBefore(database.drizzle, before, limit) },
      { name: 'events', keepMs: config.retention.tasks, deleteBefore: (before, limit) => deleteEventsBefore(database.drizzle, before, limit) },
    ],
  });
  return async () => retention[Symbol.asyncDispose]();
}

async function gauges({ drizzle }: Database) {
  const orNull = <T>(work: Promise<T>): Promise<T | null> => work.catch(() => null);
  const notifications = await orNull(countNotifications(drizzle));
  return {
    nodes_by_status: await orNull(countNodes(drizzle)),
    incidents_open: await orNull(countOpenIncidents(drizzle)),
    events_unjudged: await orNull(countUnjudged(drizzle)),
    notifications_pending: notifications?.pending ?? null,
    notifications_dead: notifications?.dead ?? null,
  };
}

async function statusOf({ database, clock }: Ground, { metrics, gateway, startedAt }: { metrics: Metrics; gateway: Gateway; startedAt: number }) {
  const { nodes_by_status, incidents_open, ...queues } = await gauges(database);
  return {
    version,
    started_at: new Date(startedAt).toISOString(),
    uptime_ms: clock.wallMs() - startedAt,
    agents: { connected: gateway.connected().length },
    nodes_by_status,
    incidents_open,
    database: { kind: database.kind, ...(await database.check()) },
    queues,
    notification_latency: metrics.latency(),
  };
}

/** The live page's files: beside the built program, or in the source tree. */
function pageDir(): string {
  const built = fileURLToPath(new URL('./web/live', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('../web/live', import.meta.url));
}

/** `RUNNERWATCH_CRASH_POINT=sent:3`: for tests, dies by SIGKILL when the named moment comes for the third time. */
function crashPoints(system: CollectorSystem): (step: string) => void {
  const [wanted, times = '1'] = system.env['RUNNERWATCH_CRASH_POINT']?.split(':') ?? [];
  let left = Number(times);
  return (step) => {
    if (step !== wanted) return;
    left -= 1;
    if (left === 0) system.kill(system.pid, 'SIGKILL');
  };
}

function named(log: Logger, name: string): Logger {
  return log.child({ subsystem: `collector:${name}` });
}
