import { randomUUID } from 'node:crypto';
import { AlertEngine, type EngineOptions } from '@runnerwatch/collector/alerts/engine.ts';
import type { Database } from '@runnerwatch/collector/db/database.ts';
import { events, nodes, tasks } from '@runnerwatch/collector/db/tables/schema.ts';
import { createNotifiers, mirrorsAmong, ratesOf } from '@runnerwatch/collector/notifiers/catalogue.ts';
import { createForTarget, createTargetKinds } from '@runnerwatch/collector/notifiers/targets.ts';
import { Deliverer, type DelivererOptions } from '@runnerwatch/collector/outbox/deliverer.ts';
import { notificationsConfig, notifiersOf, policyOf } from '@runnerwatch/collector/routing/config.ts';
import { LivePolicy } from '@runnerwatch/collector/routing/live-policy.ts';
import { findTarget } from '@runnerwatch/collector/routing/store.ts';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskEnding, TaskIdentity, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { eq, sql } from 'drizzle-orm';
import { pino } from 'pino';
import * as z from 'zod/mini';

/** What ingest leaves in the database, without ingest: nodes, tasks and facts for the engine to judge. */
export class AlertRig {
  readonly #source: { readonly database: Database };
  /** Its own, so that a rig made after a restart says nothing twice. */
  readonly #stream = randomUUID();
  #seq = 0;

  constructor(source: { readonly database: Database }) {
    this.#source = source;
  }

  get db(): Database {
    return this.#source.database;
  }

  async clear(): Promise<void> {
    await this.db.drizzle.execute(
      sql`truncate nodes, events, tasks, incidents, alerts, transitions, notifications, deliveries, condition_states, streams, subscriptions, silences, alert_counts, failure_groups, collector_state cascade`,
    );
  }

  async node(id: string, more: Partial<typeof nodes.$inferInsert> = {}): Promise<void> {
    const now = new Date();
    await this.db.drizzle.insert(nodes).values({
      id,
      name: id,
      status: 'online',
      firstSeenAt: now,
      lastHeardAt: now,
      bootId: 'boot-1',
      labels: { rack: 'r1' },
      ...more,
    });
  }

  async setNode(id: string, change: Partial<typeof nodes.$inferInsert>): Promise<void> {
    await this.db.drizzle.update(nodes).set(change).where(eq(nodes.id, id));
  }

  async fact(nodeId: string, body: EventBody, at = new Date()): Promise<void> {
    this.#seq += 1;
    await this.db.drizzle.insert(events).values({
      nodeId,
      streamId: this.#stream,
      lane: 'ends',
      seq: this.#seq,
      kind: body.kind,
      at,
      receivedAt: new Date(),
      body,
    });
  }

  async condition(
    nodeId: string,
    report: Partial<ConditionReport> & { status: ConditionReport['status'] },
  ): Promise<void> {
    await this.fact(nodeId, {
      kind: 'condition',
      report: {
        condition: 'MemoryPressure',
        component: 'agent',
        subject: '',
        severity: 'warning',
        reason: 'memory 95% used (threshold 90%)',
        value: 95,
        threshold: 90,
        since: new Date().toISOString(),
        ...report,
      },
    });
  }

  async taskStarted(nodeId: string, id: string, more: Partial<TaskIdentity> = {}): Promise<void> {
    const task = identity(id, more);
    const { job, project, owner, source } = task;
    await this.db.drizzle.insert(tasks).values({
      id,
      taskId: task.task_id,
      nodeId,
      name: task.name,
      job,
      project,
      owner,
      source,
      unit: task.unit,
      containerId: task.container_id,
      status: 'running',
      receivedAt: new Date(),
      startedAt: task.started_at === null ? new Date() : new Date(task.started_at),
    });
    await this.fact(nodeId, { kind: 'task_started', task });
  }

  /** As ingest does it: the end replaces what is stored, and the fact is there to be judged. */
  async taskEnded(
    nodeId: string,
    id: string,
    { status, ...more }: { status: TaskStatus } & Partial<TaskIdentity & TaskEnding>,
  ): Promise<void> {
    const task = identity(id, more);
    const ending = endingOf(status, more);
    const { job, project, owner, source } = task;
    const end = {
      status,
      cause: ending.verdict.cause,
      verdict: ending.verdict,
      exitCode: ending.exit_code,
      signal: ending.signal,
      endedAt: new Date(ending.ended_at),
      durationMs: ending.duration_ms,
      logTail: ['last words'],
    };
    await this.db.drizzle
      .insert(tasks)
      .values({
        id,
        taskId: task.task_id,
        nodeId,
        name: task.name,
        job,
        project,
        owner,
        source,
        unit: task.unit,
        containerId: task.container_id,
        receivedAt: new Date(),
        ...end,
      })
      .onConflictDoUpdate({ target: tasks.id, set: end });
    await this.fact(nodeId, { kind: 'task_ended', task, ending, log_tail: ['last words'] });
  }

  /** When the collector heard of a task's end. */
  async setReceived(taskId: string, receivedAt: Date): Promise<void> {
    await this.db.drizzle.update(tasks).set({ receivedAt }).where(eq(tasks.id, taskId));
  }

  async rows<T extends object>(text: string): Promise<T[]> {
    return [...(await this.db.drizzle.execute(sql.raw(text)))] as unknown as T[];
  }
}

function identity(id: string, more: Partial<TaskIdentity>): TaskIdentity {
  const own = {
    id,
    task_id: id,
    name: more.name ?? id,
    job: null,
    project: null,
    owner: null,
    source: 'systemd',
    unit: null,
    container_id: null,
    command: null,
    started_at: null,
  } as const;
  const { job = null, project = null, owner = null, unit = null, container_id = null, started_at = null } = more;
  return { ...own, job, project, owner, unit, container_id, started_at };
}

function endingOf(status: TaskStatus, more: Partial<TaskEnding>): TaskEnding {
  const ended_at = more.ended_at ?? new Date().toISOString();
  const cause =
    status === 'completed'
      ? 'success'
      : status === 'timed_out'
        ? 'timeout'
        : status === 'killed_oom'
          ? 'oom_limit'
          : status === 'lost'
            ? 'node_lost'
            : 'exit_code';
  return {
    status,
    exit_code: status === 'completed' ? 0 : 3,
    signal: null,
    ended_at,
    ended_at_approximate: false,
    duration_ms: 1000,
    cpu_ms: 10,
    memory_peak_bytes: 1_000_000,
    memory_limit_bytes: null,
    error_message: null,
    verdict: {
      cause,
      confidence: 'proven',
      summary: `ended: ${status}`,
      evidence: [{ source: 'kernel', at: ended_at, fact: 'exit status 3' }],
      advice: [],
    },
    ...more,
  };
}

/** An engine and a deliverer on the rig's database, as the assembly would connect them. `notifications` is the configuration's section. */
export function startAlerting(
  rig: AlertRig,
  {
    notifications = {},
    engine = {},
    deliverer = {},
  }: { notifications?: object; engine?: Partial<EngineOptions>; deliverer?: Partial<DelivererOptions> } = {},
) {
  const config = z.parse(notificationsConfig, notifications);
  const log = pino({ level: 'silent' });
  const clock = engine.clock ?? systemClock;
  const policy = new LivePolicy({ base: policyOf(config), db: rig.db, clock, log, isAlone: true });
  const notifierDeps = {
    log,
    clock,
    hostname: 'collector-1',
    system: { env: {}, kill: (pid: number, signal: string) => process.kill(pid, signal) },
  };
  const targetKinds = createTargetKinds(notifierDeps, config);
  const targets = {
    areThere: () => policy.hasTargets,
    open: async (receiver: string) => {
      const target = await findTarget(rig.db.drizzle, receiver);
      return target === null ? null : createForTarget(targetKinds, receiver, target);
    },
  };
  const notifiers = createNotifiers(notifiersOf(config), notifierDeps);
  const delivering = new Deliverer({
    db: rig.db,
    notifiers,
    rates: ratesOf(notifiersOf(config)),
    targets,
    clock,
    log,
    isAlone: true,
    tickMs: 50,
    ...deliverer,
  });
  const judging = new AlertEngine({
    db: rig.db,
    policy: () => policy.current(),
    mirrors: mirrorsAmong(notifiers),
    publicUrl: 'http://collector.test',
    clock,
    log,
    overdue: () => [],
    tickMs: 50,
    keeper: () => delivering.keeper(),
    ...engine,
  });
  return {
    engine: judging,
    deliverer: delivering,
    policy,
    targetKinds,
    notifiers,
    start: () => {
      judging.start();
      delivering.start();
    },
    [Symbol.asyncDispose]: async () => {
      await judging[Symbol.asyncDispose]();
      await delivering[Symbol.asyncDispose]();
      for (const notifier of notifiers.values()) await notifier[Symbol.asyncDispose]();
    },
  };
}
