import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { crashPoints } from '@runnerwatch/shared/runtime/crash-point.ts';
import { defaultDataDir, ensureDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { createLogger, subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { StopStack } from '@runnerwatch/shared/runtime/stop-stack.ts';
import { version } from '@runnerwatch/shared/runtime/version.ts';
import type { Logger } from 'pino';
import { assertListenAllowed } from './api/auth.ts';
import { createMetrics, type Metrics } from './api/metrics.ts';
import { createOverview } from './api/overview.ts';
import { resourceRoutes } from './api/resources.ts';
import { loadIncident } from './api/routes/incidents.ts';
import { loadNodeRecord } from './api/routes/nodes.ts';
import { buildServer } from './api/server.ts';
import { type Bus, createBus, createStreamHub, type StreamHub } from './api/stream.ts';
import type { CollectorConfig } from './config.ts';
import { type Credentials, openCredentials } from './credentials.ts';
import type { Database } from './db/database.ts';
import { toDatabaseError } from './db/errors.ts';
import { takeLease } from './db/lease.ts';
import { migrate } from './db/migrate.ts';
import { openDatabase } from './db/open.ts';
import { areAllAway } from './delivery-watch.ts';
import { Deputies } from './deputies/deputies.ts';
import { loadDeputies, saveDeputies } from './deputies/store.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { AgentRegister } from './enrolment/register.ts';
import { Duplicates } from './ingest/duplicates.ts';
import { createGateway, type Gateway } from './ingest/gateway.ts';
import { createGreeting } from './ingest/greeting.ts';
import { createWriter } from './ingest/writer.ts';
import { listen, splitListen } from './listening.ts';
import { type Loops, startLoops } from './loops.ts';
import { refuseTarget } from './notifiers/targets.ts';
import { checkTemplates } from './notifiers/template.ts';
import { newId } from './outbox/new-id.ts';
import { previewNotification } from './outbox/preview.ts';
import { sendTest } from './outbox/send-test.ts';
import { insertAudit } from './people/audit.ts';
import { PeopleRegister } from './people/register.ts';
import { notifiersOf } from './routing/config.ts';
import { adoptTasks } from './tasks/adopt.ts';
import { findTask } from './tasks/store.ts';

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
  readonly system: CollectorSystem;
  /** The end, when it comes before the start is over. */
  readonly signal: AbortSignal;
}

/**
 * The collector, assembled. Doors (API, ingest) and loops (engine, deliverer) do not know each other: what one committed
 * nudges the next through the callbacks given here, and each loop's own tick is the guarantee. It starts from the database
 * outwards and stops in the opposite order, the doors first. While another collector works on its database it stands by.
 */
export async function startCollector({ config, system, signal }: CollectorOptions): Promise<AsyncDisposable> {
  const clock = systemClock;
  await checkTemplates(notifiersOf(config.notifications));
  const dataDir =
    config.data_dir ??
    defaultDataDir({ uid: system.getuid?.() ?? 0, home: homedir(), xdgStateHome: system.env['XDG_STATE_HOME'] });
  ensureDir(dataDir, 0o755);
  const folder = ensureDir(join(dataDir, 'collector'), 0o700);
  const log = createLogger('collector', { ...config.log, write: (line) => void system.stdout.write(line) });
  const stops = new StopStack();
  try {
    const database = await openDatabase({
      url: config.database.url,
      dataDir: folder,
      log: subsystem(log, 'collector:db'),
    });
    stops.defer(() => database.close());
    await migrate(database, { log: subsystem(log, 'collector:db') });
    // The embedded database has the lock of its folder.
    if (database.kind === 'server') {
      const lease = await takeLease(database, {
        holder: `${hostname()}:${folder}`,
        clock,
        log: subsystem(log, 'collector:db'),
        signal,
        onLost: () => void system.kill(system.pid, 'SIGTERM'),
      });
      if (lease === null) return stops;
      stops.defer(() => lease[Symbol.asyncDispose]());
    }
    const credentials = await openCredentials({ database, folder, now: clock.wallMs(), log });
    const register = new AgentRegister({
      database,
      isSharedToken: credentials.isAgentToken,
      now: () => clock.wallMs(),
    });
    await register.refresh();
    const people = new PeopleRegister({
      queries: database.drizzle,
      isCollectorToken: credentials.isApiToken,
      now: () => clock.wallMs(),
      log: subsystem(log, 'collector:api'),
    });
    await people.open();
    await openDoors(stops, { config, system, database, credentials, register, people, clock, log });
    log.info({ listen: config.listen, data_dir: dataDir, database: database.kind, version }, 'collector started');
    return stops;
  } catch (error) {
    await stops[Symbol.asyncDispose]();
    throw error;
  }
}

interface Ground {
  readonly config: CollectorConfig;
  readonly system: CollectorSystem;
  readonly database: Database;
  readonly credentials: Credentials;
  readonly register: AgentRegister;
  readonly people: PeopleRegister;
  readonly clock: Clock;
  readonly log: Logger;
}

async function openDoors(stops: StopStack, ground: Ground): Promise<void> {
  const { config, system, database, clock, log } = ground;
  const refusal = assertListenAllowed({ listenHost: splitListen(config.listen).host, hasToken: true });
  if (refusal !== null) throw new StartFailure('config', refusal);
  const metrics = createMetrics({ version, startedAt: clock.wallMs(), process: system });
  stops.defer(() => metrics[Symbol.dispose]());
  const bus = createBus();
  const crashPoint = crashPoints(system);
  const duplicates = new Duplicates({ clock, log: subsystem(log, 'collector:ingest') });
  const loops = await startLoops(stops, {
    config,
    database,
    metrics,
    bus,
    own: system,
    system,
    crashPoint,
    clones: () => duplicates.seen,
    clock,
    log,
  });
  const deputies = new Deputies({
    send: (nodeId, frame) => gateway.say(nodeId, frame),
    obstacle: loops.obstacle,
    load: () => loadDeputies(database.drizzle),
    save: (record) => saveDeputies(database.drizzle, record),
    clock,
    log: subsystem(log, 'collector:deputies'),
  });
  await deputies.start();
  stops.defer(() => deputies[Symbol.asyncDispose]());
  const gateway = openGateway(ground, { loops, metrics, bus, crashPoint, duplicates, deputies });
  const { samples } = loops;
  const hub = createStreamHub({
    bus,
    load: {
      node: (id) => loadNodeRecord({ queries: database.drizzle, samples }, id),
      task: (id) => findTask(database.drizzle, id),
      incident: (id) => loadIncident(database, id),
    },
    log: subsystem(log, 'collector:stream'),
  });
  const descriptors = new DescriptorWatch({
    reserved: database.descriptorsMax,
    clock,
    log: subsystem(log, 'collector:self'),
  });
  const app = await peoplesDoor(ground, { loops, gateway, metrics, bus, hub, descriptors, deputies });
  app.server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head));
  stops.defer(() => app.close());
  stops.defer(() => gateway[Symbol.asyncDispose]());
  await descriptors.start(app.server);
  stops.defer(() => descriptors[Symbol.asyncDispose]());
  await listen(app.server, config.listen, system);
}

interface DoorParts {
  readonly loops: Loops;
  readonly metrics: Metrics;
  readonly bus: Bus;
}

function openGateway(
  { config, database, credentials, register, clock, log }: Ground,
  {
    loops,
    metrics,
    bus,
    crashPoint,
    duplicates,
    deputies,
  }: DoorParts & { crashPoint: (step: string) => void; duplicates: Duplicates; deputies: Deputies },
): Gateway {
  const publishNode = (nodeId: string) => bus.publish({ kind: 'node', id: nodeId });
  return createGateway({
    collectorId: credentials.collectorId,
    admit: (shown) => register.admit(shown),
    clock,
    log: subsystem(log, 'collector:ingest'),
    liveness: loops.liveness,
    duplicates,
    writer: createWriter({
      database,
      log: subsystem(log, 'collector:ingest'),
      onCommitted: ({ eventIds, taskIds }) => {
        metrics.eventsIngested(eventIds.length);
        loops.engine.nudge();
        for (const id of taskIds) bus.publish({ kind: 'task', id });
      },
      ...(config.schedulers.length === 0 ? {} : { adopt: adoptTasks }),
      crashPoint,
    }),
    greeting: createGreeting({
      database,
      register,
      clock,
      log: subsystem(log, 'collector:ingest'),
      timeoutMs: config.heartbeat_timeout,
    }),
    fallback: deputies,
    onConnected: publishNode,
    onDisconnected: publishNode,
    onSample: (nodeId, sample) => {
      loops.samples.record(nodeId, sample);
      bus.publish({ kind: 'sample', node_id: nodeId, sample });
    },
  });
}

function peoplesDoor(
  ground: Ground,
  parts: DoorParts & { gateway: Gateway; hub: StreamHub; descriptors: DescriptorWatch; deputies: Deputies },
) {
  const { config, database, people, clock, log } = ground;
  const { loops, gateway, metrics, hub, descriptors, deputies } = parts;
  const { deliverer } = loops;
  const now = () => clock.wallMs();
  const overview = createOverview({
    db: database,
    metrics,
    version,
    startedAt: now(),
    now,
    agentSessions: () => gateway.connected().length,
    streamReaders: () => hub.readerCount,
    schedulers: () => loops.schedulers.states(),
    receivers: () => deliverer.states(),
    deputies: () =>
      deputies.states().map(({ rank, nodeId, name, isConnected }) => ({
        rank,
        node_id: nodeId,
        node: name,
        connected: isConnected,
      })),
    complaints: () => [
      ...(areAllAway(deliverer.states()) ? ['no receiver takes notifications: nobody is told anything'] : []),
      ...(descriptors.isOut ? ['new connections are refused: out of file descriptors'] : []),
    ],
    obstacles: () => [],
    log: subsystem(log, 'collector:api'),
  });
  return buildServer({
    ...overview,
    routes: resources(ground, parts),
    auth: {
      listenHost: splitListen(config.listen).host,
      publicUrl: config.public_url ?? null,
      hostname: hostname(),
      requireToken: config.auth.require_token,
      localRole: config.auth.local_role,
      findAsker: (presented) => people.find(presented),
      isStill: (asker) => people.isStill(asker),
      now,
    },
    audit: { write: (entry) => insertAudit(database.drizzle, { ...entry, id: newId(now()), at: new Date(now()) }) },
    isPassing: (error) => toDatabaseError(error).retryable,
    hub,
    pageDir: pageDir(),
    log: subsystem(log, 'collector:api'),
  });
}

/** What the API shows and changes, each with those that must hear of a change. */
function resources(
  { database, register, people, clock }: Ground,
  { loops, gateway, bus, deputies }: Pick<DoorParts, 'loops' | 'bus'> & { gateway: Gateway; deputies: Deputies },
) {
  const { samples, policy, deliverer } = loops;
  const queries = database.drizzle;
  const now = () => clock.wallMs();
  return resourceRoutes({
    nodes: {
      queries,
      samples,
      clock,
      onChanged: async (nodeId, change) => {
        onNodeChanged({ loops, gateway, bus, deputies }, nodeId, change);
        if (change === 'removed') await loops.forgetJobs();
        else await policy.refresh();
        if (change === 'removed') await register.refresh();
      },
    },
    tasks: { queries, clock },
    jobs: { queries, clock },
    pings: {
      queries,
      clock,
      onTaken: ({ changedTaskIds }) => {
        if (changedTaskIds.length > 0) loops.engine.nudge();
        for (const id of changedTaskIds) bus.publish({ kind: 'task', id });
      },
    },
    incidents: { db: database, now, acknowledge: (one) => loops.engine.acknowledge(one) },
    deliveries: { db: database, now, onPromised: () => deliverer.nudge() },
    notifiers: {
      receivers: () => policy.current().receivers,
      sendTest: (receiver) => sendTest({ db: database, deliverer, clock }, receiver),
      preview: (asked) => previewNotification({ queries, notifiers: loops.notifiers, clock }, asked),
    },
    subscriptions: {
      db: database,
      policy,
      now,
      refuseTarget: (type, address) => refuseTarget(loops.targetKinds, type, address),
    },
    enrollments: {
      queries,
      register,
      connected: () => gateway.connected().map(({ nodeId }) => nodeId),
      onRevoked: (nodeId) => {
        deputies.forget(nodeId);
        gateway.disconnect(nodeId, 'revoked');
      },
      now,
    },
    people: { people, now },
    audit: { queries, now },
    silences: {
      db: database,
      policy,
      now,
      onEnded: (undrained) => {
        if (undrained !== null) bus.publish({ kind: 'node', id: undrained });
        loops.engine.nudge();
      },
    },
  });
}

function onNodeChanged(
  { loops, gateway, bus, deputies }: { loops: Loops; gateway: Gateway; bus: Bus; deputies: Deputies },
  nodeId: string,
  change: 'drained' | 'undrained' | 'removed',
): void {
  bus.publish({ kind: 'node', id: nodeId });
  if (change !== 'removed') return;
  deputies.forget(nodeId);
  gateway.disconnect(nodeId, 'goodbye');
  loops.liveness.forget(nodeId);
  loops.samples.forget(nodeId);
}

/** The built dashboard: beside the built program, or seen from the source tree. */
function pageDir(): string {
  const built = fileURLToPath(new URL('./web', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('../../dist/web', import.meta.url));
}
