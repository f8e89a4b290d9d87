import { hostname } from 'node:os';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import type { StopStack } from '@runnerwatch/shared/runtime/stop-stack.ts';
import type { Logger } from 'pino';
import { AlertEngine } from './alerts/engine.ts';
import { listFiringSubjects } from './alerts/store.ts';
import type { Metrics } from './api/metrics.ts';
import type { Bus } from './api/stream.ts';
import type { CloneSight } from './conditions/agent-cloned.ts';
import type { CollectorConfig } from './config.ts';
import type { Database } from './db/database.ts';
import { areAllAway, startDeliveryWatch } from './delivery-watch.ts';
import { findObstacle, startHeartbeat } from './heartbeat.ts';
import { deleteEventsBefore } from './ingest/store.ts';
import { Liveness } from './nodes/liveness.ts';
import { onlineNodeIds, saveTouches } from './nodes/store.ts';
import { createNotifiers, mirrorsAmong, ratesOf } from './notifiers/catalogue.ts';
import type { Notifier, NotifierDeps } from './notifiers/notifier.ts';
import { createForTarget, createTargetKinds, type TargetKinds } from './notifiers/targets.ts';
import { Deliverer } from './outbox/deliverer.ts';
import { deleteAuditBefore } from './people/audit.ts';
import { notifiersOf, policyOf } from './routing/config.ts';
import { LivePolicy } from './routing/live-policy.ts';
import { deleteSilencesBefore, deleteSubscriptionsBefore, endOrphanedJobAlerts, findTarget } from './routing/store.ts';
import { startRetention } from './samples/retention.ts';
import { SampleStore } from './samples/store.ts';
import { type Schedulers, startSchedulers } from './schedulers/schedulers.ts';
import { deleteWordsBefore } from './schedulers/store.ts';
import { type SelfWatchOptions, startSelfWatch } from './self-watch.ts';
import { deleteTasksEndedBefore } from './tasks/store.ts';

export interface LoopParts {
  readonly config: CollectorConfig;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly bus: Bus;
  readonly own: SelfWatchOptions['own'];
  readonly system: NotifierDeps['system'];
  readonly crashPoint: (step: string) => void;
  readonly clones: () => ReadonlyMap<string, CloneSight>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What goes on by itself: the deadlines of nodes, the engine, the deliverer, the keeping and forgetting of readings. */
export interface Loops {
  readonly policy: LivePolicy;
  readonly targetKinds: TargetKinds;
  /** Tasks were deleted: what belonged to jobs that are gone with them ends too. */
  readonly forgetJobs: () => Promise<void>;
  readonly liveness: Liveness;
  readonly engine: AlertEngine;
  readonly deliverer: Deliverer;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly samples: SampleStore;
  readonly schedulers: Schedulers;
  /** What the collector fails to do although it is there, as a sentence; null while it works. */
  readonly obstacle: () => Promise<string | null>;
}

/** Starts them from the outbox inwards, so that whatever a loop promises finds its deliverer running. */
export async function startLoops(stops: StopStack, parts: LoopParts): Promise<Loops> {
  const loops = makeLoops(parts);
  const { policy, liveness, engine, deliverer, notifiers, samples } = loops;
  stops.defer(() => closeAll(notifiers));
  await policy.start();
  stops.defer(() => policy[Symbol.asyncDispose]());
  deliverer.start();
  stops.defer(() => deliverer[Symbol.asyncDispose]());
  engine.start();
  stops.defer(() => engine[Symbol.asyncDispose]());
  samples.start();
  stops.defer(() => samples[Symbol.asyncDispose]());
  liveness.start(await onlineNodeIds(parts.database.drizzle));
  stops.defer(() => liveness[Symbol.asyncDispose]());
  const retention = startRetentionOf(parts, loops);
  stops.defer(() => retention[Symbol.asyncDispose]());
  const selfWatch = startSelfWatchOf(parts, engine);
  stops.defer(() => selfWatch[Symbol.asyncDispose]());
  const deliveryWatch = startDeliveryWatchOf(parts, loops);
  stops.defer(() => deliveryWatch[Symbol.asyncDispose]());
  const obstacle = obstacleOf(parts, loops);
  const heartbeat = startHeartbeatOf(parts, obstacle);
  stops.defer(() => heartbeat?.[Symbol.asyncDispose]());
  const schedulers = await startSchedulersOf(parts, engine);
  stops.defer(() => schedulers[Symbol.asyncDispose]());
  return { ...loops, schedulers, obstacle };
}

function makeLoops({
  config,
  database,
  metrics,
  bus,
  system,
  crashPoint,
  clones,
  clock,
  log,
}: LoopParts): Omit<Loops, 'schedulers' | 'obstacle'> {
  const isAlone = database.kind === 'embedded';
  const policy = new LivePolicy({
    base: policyOf(config.notifications),
    db: database,
    clock,
    log: subsystem(log, 'collector:routing'),
    isAlone,
  });
  const notifierDeps = { log: subsystem(log, 'collector:notifier'), clock, hostname: hostname(), system };
  const targetKinds = createTargetKinds(notifierDeps, config.notifications);
  const samples = new SampleStore({ database, clock, log: subsystem(log, 'collector:samples') });
  const liveness = new Liveness({
    clock,
    log: subsystem(log, 'collector:liveness'),
    timeoutMs: config.heartbeat_timeout,
    save: (touches) => saveTouches(database.drizzle, touches),
    onReturned: () => engine.nudge(),
  });
  const settings = notifiersOf(config.notifications);
  const notifiers = createNotifiers(settings, notifierDeps);
  const deliverer = new Deliverer({
    db: database,
    notifiers,
    rates: ratesOf(settings),
    clock,
    log: subsystem(log, 'collector:outbox'),
    targets: {
      areThere: () => policy.hasTargets,
      open: async (receiver) => {
        const target = await findTarget(database.drizzle, receiver);
        return target === null ? null : createForTarget(targetKinds, receiver, target);
      },
    },
    isAlone,
    onDelivered: (latencyMs) => metrics.notificationDelivered(latencyMs),
    onFailed: (outcome) => metrics.deliveryFailed(outcome),
    onStep: crashPoint,
  });
  const engine: AlertEngine = new AlertEngine({
    db: database,
    policy: () => policy.current(),
    mirrors: mirrorsAmong(notifiers),
    publicUrl: config.public_url ?? null,
    clock,
    log: subsystem(log, 'collector:engine'),
    overdue: () => liveness.overdue(),
    fleet: () => liveness.fleet(),
    clones,
    keeper: () => deliverer.keeper(),
    onTouched: ({ kind, id }) => bus.publish({ kind, id }),
    onStep: crashPoint,
    restartLoop: { count: config.conditions.restart_loop_count, withinMs: config.conditions.restart_loop_within },
    fastFail: { count: config.conditions.node_fails_fast_count, withinMs: config.conditions.node_fails_fast_within },
  });
  const forgetJobs = async () => {
    if ((await endOrphanedJobAlerts(database.drizzle, new Date(clock.wallMs()))) > 0) await policy.refresh();
  };
  return { policy, targetKinds, forgetJobs, liveness, engine, deliverer, notifiers, samples };
}

async function closeAll(notifiers: ReadonlyMap<string, Notifier>): Promise<void> {
  for (const notifier of notifiers.values()) await notifier[Symbol.asyncDispose]();
}

function startSelfWatchOf({ config, own, clock, log }: LoopParts, engine: AlertEngine): AsyncDisposable {
  const { memory_pressure_bytes: bytes, high_cpu_percent: cpu } = config.self;
  return startSelfWatch({
    limits: { memoryPressureBytes: bytes || null, highCpuPercent: cpu || null, forMs: 0 },
    own,
    report: (reports) => engine.takeOwn(`collector@${hostname()}`, reports),
    clock,
    log: subsystem(log, 'collector:self'),
  });
}

function startDeliveryWatchOf(
  { database, clock, log }: LoopParts,
  { engine, deliverer }: Pick<Loops, 'engine' | 'deliverer'>,
): AsyncDisposable {
  const nodeId = `collector@${hostname()}`;
  return startDeliveryWatch({
    states: () => deliverer.states(),
    firing: () => listFiringSubjects(database.drizzle, { nodeId, condition: 'DeliveryFailed' }),
    report: (reports) => engine.takeOwn(nodeId, reports),
    clock,
    log: subsystem(log, 'collector:outbox'),
  });
}

function obstacleOf(
  { database, clock }: LoopParts,
  { engine, deliverer }: Pick<Loops, 'engine' | 'deliverer'>,
): Loops['obstacle'] {
  return () =>
    findObstacle({
      database,
      sinceRoundMs: () => engine.sinceRoundMs,
      isNobodyTold: () => areAllAway(deliverer.states()),
      clock,
    });
}

/** Null: nobody watches this collector. */
function startHeartbeatOf({ config, clock, log }: LoopParts, obstacle: Loops['obstacle']): AsyncDisposable | null {
  const { heartbeat_url: url, heartbeat_token: token = null } = config;
  if (url === undefined) return null;
  return startHeartbeat({
    url: new URL(url),
    token,
    obstacle,
    clock,
    log: subsystem(log, 'collector:heartbeat'),
  });
}

function startSchedulersOf({ config, database, bus, clock, log }: LoopParts, engine: AlertEngine): Promise<Schedulers> {
  return startSchedulers({
    config: config.schedulers,
    db: database,
    report: (reports) => engine.takeOwn(`collector@${hostname()}`, reports),
    onJoined: ({ changedTaskIds, hasFacts }) => {
      if (hasFacts) engine.nudge();
      for (const id of changedTaskIds) bus.publish({ kind: 'task', id });
    },
    clock,
    log: subsystem(log, 'collector:schedulers'),
  });
}

/** What became of an ended watch or subscription can be looked up so long. */
const endedSubscriptionsMs = 30 * 86_400_000;

function startRetentionOf(
  { config, database, clock, log }: LoopParts,
  { samples, forgetJobs }: Pick<Loops, 'samples' | 'forgetJobs'>,
): AsyncDisposable {
  const { drizzle } = database;
  return startRetention({
    clock,
    log: subsystem(log, 'collector:retention'),
    perishables: [
      {
        name: 'samples',
        keepMs: config.retention.samples_raw,
        deleteBefore: (before, limit) => samples.deleteBefore(before, limit),
      },
      {
        name: 'tasks',
        keepMs: config.retention.tasks,
        deleteBefore: async (before, limit) => {
          const deleted = await deleteTasksEndedBefore(drizzle, before, limit);
          await forgetJobs();
          return deleted;
        },
      },
      {
        name: 'subscriptions',
        keepMs: endedSubscriptionsMs,
        deleteBefore: (before, limit) => deleteSubscriptionsBefore(drizzle, before, limit),
      },
      {
        name: 'silences',
        keepMs: config.retention.incidents,
        deleteBefore: (before, limit) => deleteSilencesBefore(drizzle, before, limit),
      },
      {
        name: 'audit',
        keepMs: config.retention.audit,
        deleteBefore: (before, limit) => deleteAuditBefore(drizzle, before, limit),
      },
      {
        name: 'events',
        keepMs: config.retention.tasks,
        deleteBefore: (before, limit) => deleteEventsBefore(drizzle, before, limit),
      },
      {
        name: 'scheduler_tasks',
        keepMs: config.retention.tasks,
        deleteBefore: (before, limit) => deleteWordsBefore(drizzle, before, limit),
      },
    ],
  });
}
