import { createScheduler } from '@runnerwatch/collector/schedulers/catalogue.ts';
import { schedulersConfig } from '@runnerwatch/collector/schedulers/config.ts';
import { SchedulerPoller } from '@runnerwatch/collector/schedulers/poller.ts';
import type { KnownTasks } from '@runnerwatch/collector/schedulers/scheduler.ts';
import { startSchedulers } from '@runnerwatch/collector/schedulers/schedulers.ts';
import { adoptTasks } from '@runnerwatch/collector/tasks/adopt.ts';
import { findTask, listTasks, type TaskDetail } from '@runnerwatch/collector/tasks/store.ts';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskEnding, TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import { type Clock, systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { createWriter } from '../../collector/src/ingest/writer.ts';
import { startAlerting } from '../support/alert-rig.ts';
import { silentLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { ownRig } from '../support/own-rig.ts';
import { canary, type Mischief, RiverHost } from '../support/river-host.ts';

const nothingKnown: KnownTasks = { isKnown: () => false, open: () => [] };
const never = new AbortController().signal;
/** Snowflakes, beyond what a JavaScript number holds. */
const id = (number: number) => String(7_123_456_789_012_345_000n + BigInt(number));

describe('reading a HakuRiver or KohakuRiver host', () => {
  it.each(['early', 'hakuriver', 'kohakuriver'] as const)(
    'lists the tasks of %s with every digit of their ids',
    async (kind) => {
      await using host = await RiverHost.open(kind);
      for (let n = 1; n <= 450; n += 1) host.set({ task_id: id(n), status: n === 1 ? 'running' : 'completed' });
      const type = kind === 'kohakuriver' ? 'kohakuriver' : 'hakuriver';

      const outcome = await createScheduler({ type, url: host.url }).poll(nothingKnown, { signal: never });

      expect(outcome).toMatchObject({ kind: 'read', gone: [] });
      const ids = outcome.kind === 'read' ? outcome.tasks.map(({ taskId }) => taskId) : [];
      expect(ids.toSorted()).toEqual(host.tasks.map(({ task_id }) => task_id).toSorted());
      expect(JSON.stringify(outcome)).not.toContain(canary);
    },
  );

  it.each(['', '/api', '/api/', '/'])('finds the API when its address is given as %j', async (suffix) => {
    await using host = await RiverHost.open('kohakuriver');
    host.set({ task_id: id(1), status: 'running' });

    const scheduler = createScheduler({ type: 'kohakuriver', url: host.url + suffix });

    expect(await scheduler.poll(nothingKnown, { signal: never })).toMatchObject({
      kind: 'read',
      tasks: [{ taskId: id(1) }],
    });
  });

  it('reads on after the first look only what it does not know, what runs, and what was open', async () => {
    await using host = await RiverHost.open('kohakuriver');
    for (let n = 1; n <= 1000; n += 1) host.set({ task_id: id(n), status: 'completed' });
    host.set({ task_id: id(1), status: 'running' });
    host.set({ task_id: id(2), status: 'failed', exit_code: 3 });
    const scheduler = createScheduler({ type: 'kohakuriver', url: host.url });
    await scheduler.poll(nothingKnown, { signal: never });
    host.requests.length = 0;

    const known = { isKnown: () => true, open: () => [id(1), id(2), id(5000)] };
    const outcome = await scheduler.poll(known, { signal: never });

    expect(host.requests).toEqual([
      '/api/tasks?limit=200&offset=0',
      '/api/tasks?status=running&limit=200&offset=0',
      `/api/status/${id(2)}`,
      `/api/status/${id(5000)}`,
    ]);
    expect(outcome).toMatchObject({ kind: 'read', gone: [id(5000)] });
    const tasks = outcome.kind === 'read' ? outcome.tasks : [];
    expect(tasks.find(({ taskId }) => taskId === id(1))?.status).toBe('running');
    expect(tasks.find(({ taskId }) => taskId === id(2))).toMatchObject({ status: 'failed', exitCode: 3 });
  });

  it('shows its token, and says that it is not enough', async () => {
    await using host = await RiverHost.open('kohakuriver');
    host.token = 'right';
    const poll = (token: string) =>
      createScheduler({ type: 'kohakuriver', url: host.url, token }).poll(nothingKnown, { signal: never });

    expect(await poll('right')).toMatchObject({ kind: 'read' });
    expect(await poll('wrong')).toEqual({
      kind: 'failed',
      status: 401,
      isElsewhere: false,
      reason: 'HTTP 401: it wants a token of someone who may see all tasks',
    });
  });

  it.each<[Mischief, string | RegExp]>([
    ['hang', 'no whole answer within 5 s'],
    ['hang-inside', 'no whole answer within 5 s'],
    // A machine that is out of breath does not get so far in that time.
    ['endless', /the answer is larger than 32 MiB|no whole answer within 5 s/],
    ['garbage', 'the answer is not the list of tasks'],
    ['cut', 'the answer ends in the middle'],
    ['html', 'the answer is not JSON'],
    ['object', 'the answer is not the list of tasks'],
    ['no-tasks', 'the answer holds no tasks'],
    ['redirect', 'HTTP 302: a redirect, which is not followed'],
    ['reset', 'the connection was closed before an answer'],
    [{ status: 500 }, 'HTTP 500'],
    [{ status: 404 }, 'HTTP 404'],
  ])('F041 is told what is wrong with a host that answers so: %j', async (mischief, reason) => {
    await using host = await RiverHost.open('hakuriver');
    host.mischief = mischief;
    const began = performance.now();

    const outcome = await createScheduler({ type: 'hakuriver', url: host.url }).poll(nothingKnown, { signal: never });

    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringMatching(reason) as string });
    expect(JSON.stringify(outcome)).not.toContain(canary);
    expect(performance.now() - began).toBeLessThan(8000);
  });

  it('is told that nobody listens', async () => {
    const host = await RiverHost.open('hakuriver');
    const { url } = host;
    await host[Symbol.asyncDispose]();

    const outcome = await createScheduler({ type: 'hakuriver', url }).poll(nothingKnown, { signal: never });

    expect(outcome).toMatchObject({ kind: 'failed', reason: 'connection refused' });
  });

  it('stops at once when it is told to', async () => {
    await using host = await RiverHost.open('hakuriver');
    host.mischief = 'hang';
    const stop = new AbortController();
    const polling = createScheduler({ type: 'hakuriver', url: host.url }).poll(nothingKnown, { signal: stop.signal });
    await eventually(() => host.requests.length > 0);

    stop.abort();

    expect(await polling).toMatchObject({ kind: 'failed', reason: 'the collector stops' });
  });

  it.each<[object, string]>([
    [{ type: 'slurm', url: 'http://a' }, 'expected hakuriver or kohakuriver'],
    [{ type: 'hakuriver', url: 'http://user:secret@a' }, 'expected a URL without a user and password'],
    [{ type: 'hakuriver', url: 'http://a', poll_interval: '10ms' }, 'expected from 1s to 5m'],
  ])('refuses %j', (one, message) => {
    expect(z.safeParse(schedulersConfig, [one]).error?.issues[0]?.message).toContain(message);
  });

  it('refuses two of one name', () => {
    const one = { type: 'hakuriver', url: 'http://a' };

    expect(z.safeParse(schedulersConfig, [one, one]).error?.issues[0]).toMatchObject({
      path: [1, 'name'],
      message: 'there are two schedulers named hakuriver; give one another name',
    });
  });
});

const seeing = ['systemd', 'docker'].map((name) => ({
  name,
  state: 'seeing' as const,
  reason: null,
  since: '2026-01-01T00:00:00.000Z',
}));

describeOnDatabases('a scheduler beside the agents', (kind) => {
  const rig = ownRig(kind);
  beforeEach(async () => {
    await rig.db.drizzle.execute(sql`truncate scheduler_tasks, collector_state`);
    await rig.node('n1', { name: 'gpu-1', sources: seeing });
  });

  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });

  /** A poller as the assembly connects it, and what it reported of itself. */
  function pollerOf(host: RiverHost, clock: Clock = new ManualClock(Date.now())) {
    const reports: string[] = [];
    const type = host.kind === 'kohakuriver' ? ('kohakuriver' as const) : ('hakuriver' as const);
    const poller = new SchedulerPoller({
      name: 'river',
      scheduler: createScheduler({ type, url: host.url }),
      pollIntervalMs: 5000,
      db: rig.db,
      report: async (told) => {
        reports.push(...told.map(({ condition, subject, status }) => `${condition} ${subject} ${status}`));
      },
      onJoined: () => {},
      clock,
      log,
    });
    return { poller, reports, clock };
  }

  let seq = 0;
  /** As an agent's batch comes in. */
  async function agentTells(...bodies: EventBody[]): Promise<void> {
    const writer = createWriter({ database: rig.db, log: silentLog, onCommitted: () => {}, adopt: adoptTasks });
    for (const body of bodies) {
      seq += 1;
      await writer.commit({
        nodeId: 'n1',
        streamId: 'agent',
        lane: 'ends',
        receivedAt: new Date(),
        items: [{ kind: 'event', event: { seq, at: new Date().toISOString(), body } }],
      });
    }
  }
  const task = (number: number): TaskIdentity => ({
    id: `agent-${number}`,
    task_id: id(number),
    name: `hakuriver-task-${id(number)}`,
    job: null,
    project: null,
    owner: null,
    source: 'systemd',
    unit: `hakuriver-task-${id(number)}.scope`,
    container_id: null,
    command: null,
    started_at: null,
  });
  const started = (number: number): EventBody => ({ kind: 'task_started', task: task(number) });
  const ended = (number: number, more: Partial<TaskEnding>): EventBody => ({
    kind: 'task_ended',
    task: task(number),
    log_tail: null,
    ending: {
      status: 'killed',
      exit_code: null,
      signal: 'SIGKILL',
      ended_at: new Date().toISOString(),
      ended_at_approximate: false,
      duration_ms: 1,
      cpu_ms: 1,
      memory_peak_bytes: null,
      memory_limit_bytes: null,
      error_message: null,
      verdict: { cause: 'signal', confidence: 'proven', summary: 'killed', evidence: [], advice: [] },
      ...more,
    },
  });
  const findOne = async (number: number): Promise<TaskDetail> =>
    eventually(() => findTask(rig.db.drizzle, id(number)), { timeoutMs: 100 });
  const tasks = async () => (await listTasks(rig.db.drizzle, {}, { limit: 100 })).items;
  const told = () =>
    rig.rows<{ type: string; task: string; status: string }>(
      `select type, body->'task'->>'task_id' as task, body->'task'->>'status' as status from notifications order by created_at, id`,
    );
  const all = { subscriptions: [{ name: 'everything', events: ['all'], receiver: 'log' }] };

  it('adds what only the scheduler knows, and keeps its word beside the proven end', async () => {
    await using host = await RiverHost.open('kohakuriver');
    const { poller } = pollerOf(host);
    await poller.look();
    host.set({ task_id: id(1), status: 'running', assigned_node: 'gpu-1', name: 'fit', owner_username: 'ada' });
    await agentTells(started(1));
    await poller.look();

    expect(await findOne(1)).toMatchObject({
      status: 'running',
      job: 'fit',
      owner: 'ada',
      command: 'python train.py',
      source: 'systemd',
      scheduler: { name: 'river', status: 'running', batch_id: id(1), corrected: false, note: null },
    });

    await agentTells(ended(1, {}));
    host.set({ task_id: id(1), status: 'killed_oom', exit_code: 137, error_message: 'likely out of memory' });
    await poller.look();

    expect(await findOne(1)).toMatchObject({
      id: 'agent-1',
      status: 'killed',
      signal: 'SIGKILL',
      owner: 'ada',
      amendments: 0,
      verdict: { cause: 'signal', confidence: 'proven' },
      scheduler: {
        status: 'killed_oom',
        exit_code: 137,
        corrected: true,
        note: 'river said killed_oom (exit code 137); the node proved killed (SIGKILL)',
      },
    });
    expect(await tasks()).toHaveLength(1);
  });

  it('tells failures on nodes without an agent, once, and nothing of the time before it was there', async () => {
    await using host = await RiverHost.open('early');
    await using alerting = startAlerting(rig, { notifications: all });
    host.set({ task_id: id(1), status: 'failed', exit_code: 1, assigned_node: 'far-1' });
    host.set({ task_id: id(2), status: 'running', assigned_node: 'far-1' });
    const { poller } = pollerOf(host);
    await poller.look();
    host.set({ task_id: id(2), status: 'failed', exit_code: 7 });
    host.set({ task_id: id(3), status: 'killed_oom', exit_code: 137, assigned_node: 'far-1' });
    host.set({ task_id: id(4), status: 'lost', assigned_node: 'far-2', error_message: 'Node far-2 went offline' });
    host.set({ task_id: id(5), status: 'completed', exit_code: 0, assigned_node: 'far-2' });
    await poller.look();
    await poller.look();
    await alerting.engine.round();

    expect(
      (await tasks()).map(({ task_id, node, status, source }) => [task_id, node, status, source]).toSorted(),
    ).toEqual([
      [id(2), 'far-1', 'failed', 'hakuriver'],
      [id(3), 'far-1', 'killed', 'hakuriver'],
      [id(4), 'far-2', 'lost', 'hakuriver'],
      [id(5), 'far-2', 'completed', 'hakuriver'],
    ]);
    expect((await findOne(2)).verdict).toMatchObject({
      confidence: 'likely',
      evidence: [{ source: 'hakuriver', fact: 'river says failed, exit code 7' }],
    });
    expect((await told()).map(({ task: taskId, status }) => [taskId, status]).toSorted()).toEqual([
      [id(2), 'failed'],
      [id(3), 'killed'],
      [id(4), 'lost'],
      [id(5), 'completed'],
    ]);
    expect(await rig.rows(`select name, status from nodes where name like 'far-%' order by name`)).toEqual([
      { name: 'far-1', status: 'never_seen' },
      { name: 'far-2', status: 'never_seen' },
    ]);
  });

  it('tells after a restart what ended meanwhile, and nothing twice', async () => {
    await using host = await RiverHost.open('kohakuriver');
    await using alerting = startAlerting(rig, { notifications: all });
    host.set({ task_id: id(1), status: 'failed', assigned_node: 'far-1' });
    await pollerOf(host).poller.look();
    host.set({ task_id: id(2), status: 'failed', exit_code: 2, assigned_node: 'far-1' });
    await pollerOf(host).poller.look();
    host.set({ task_id: id(3), status: 'failed', exit_code: 3, assigned_node: 'far-1' });
    const { poller } = pollerOf(host);
    await poller.look();
    await poller.look();
    await alerting.engine.round();

    expect((await told()).map(({ task: taskId }) => taskId)).toEqual([id(2), id(3)]);
  });

  it('amends a task that its scheduler had lost and found again', async () => {
    await using host = await RiverHost.open('kohakuriver');
    await using alerting = startAlerting(rig, { notifications: all });
    const { poller } = pollerOf(host);
    await poller.look();
    host.set({ task_id: id(1), status: 'lost', assigned_node: 'far-1' });
    await poller.look();
    await alerting.engine.round();
    host.set({ task_id: id(1), status: 'completed', exit_code: 0 });
    await poller.look();
    await alerting.engine.round();

    expect((await told()).map(({ type, status }) => [type, status])).toEqual([
      ['task.ended', 'lost'],
      ['task.amended', 'completed'],
    ]);
  });

  it('leaves a task to its node while an agent sees it, and tells what the agent never will', async () => {
    await using host = await RiverHost.open('hakuriver');
    const { poller, clock } = pollerOf(host);
    await poller.look();
    host.set({
      task_id: id(1),
      status: 'failed',
      assigned_node: 'gpu-1',
      error_message: 'Task assignment timed out',
      started_at: null,
    });
    host.set({ task_id: id(2), status: 'completed', exit_code: 0, assigned_node: 'gpu-1' });
    await poller.look();
    expect(await tasks()).toEqual([]);

    await (clock as ManualClock).advance(31_000);
    await poller.look();

    expect(
      (await tasks()).map(({ task_id, node_id, status, verdict }) => [task_id, node_id, status, verdict?.cause]),
    ).toEqual([[id(1), 'n1', 'failed', 'start_failed']]);
  });

  it.each<[string, object]>([
    ['whose agent is away', { status: 'offline' }],
    ['whose agent cannot see containers', { sources: [seeing[0], { ...seeing[1], state: 'blind' }] }],
  ])('tells at once of a node %s, and is corrected by it later, without a second record or word', async (_, change) => {
    await using host = await RiverHost.open('hakuriver');
    await using alerting = startAlerting(rig, { notifications: all });
    await rig.setNode('n1', change);
    const { poller } = pollerOf(host);
    await poller.look();
    host.set({ task_id: id(1), status: 'failed', exit_code: 137, assigned_node: 'gpu-1' });
    await poller.look();
    await alerting.engine.round();
    const first = await findOne(1);

    await agentTells(started(1), ended(1, { status: 'failed', exit_code: 137, signal: null }));
    await alerting.engine.round();
    await poller.look();

    expect(first).toMatchObject({ source: 'hakuriver', node_id: 'n1', verdict: { confidence: 'likely' } });
    expect(await tasks()).toMatchObject([
      {
        id: 'agent-1',
        source: 'systemd',
        unit: `hakuriver-task-${id(1)}.scope`,
        verdict: { confidence: 'proven' },
        scheduler: { status: 'failed' },
      },
    ]);
    expect((await told()).map(({ type }) => type)).toEqual(['task.ended']);
    expect(await rig.rows(`select task_id, subject, fingerprint from alerts`)).toEqual([
      { task_id: 'agent-1', subject: 'agent-1', fingerprint: 'task/agent-1' },
    ]);
  });

  it('gives what it told of a node to the agent that comes to speak for it', async () => {
    await using host = await RiverHost.open('hakuriver');
    const { poller } = pollerOf(host);
    await poller.look();
    host.set({ task_id: id(1), status: 'failed', exit_code: 2, assigned_node: 'gpu-2' });
    host.set({ task_id: id(2), status: 'running', assigned_node: 'gpu-2' });
    await poller.look();
    await rig.node('n2', { name: 'gpu-2.cluster.example', sources: seeing });
    await poller.look();

    expect(await findOne(1)).toMatchObject({ node: 'gpu-2.cluster.example', node_id: 'n2' });
    expect(await rig.rows(`select id from nodes order by id`)).toEqual([{ id: 'n1' }, { id: 'n2' }]);
  });

  it('stands in where nobody saw the end, as likely, and says so again', async () => {
    await using host = await RiverHost.open('hakuriver');
    await using alerting = startAlerting(rig, { notifications: all });
    const { poller } = pollerOf(host);
    const unseen = {
      cause: 'unknown',
      confidence: 'unknown',
      summary: 'nobody saw',
      evidence: [],
      advice: [],
    } as const;
    await poller.look();
    await agentTells(
      started(1),
      ended(1, { status: 'unknown', signal: null, verdict: { ...unseen, evidence: [], advice: [] } }),
    );
    await alerting.engine.round();
    host.set({ task_id: id(1), status: 'failed', exit_code: 3, assigned_node: 'gpu-1' });
    await poller.look();
    await alerting.engine.round();

    expect(await findOne(1)).toMatchObject({
      id: 'agent-1',
      status: 'failed',
      exit_code: 3,
      verdict: { confidence: 'likely' },
    });
    expect((await told()).map(({ type, status }) => [type, status])).toEqual([
      ['task.ended', 'unknown'],
      ['task.amended', 'failed'],
    ]);
  });

  it('tells a ghost within 10 s of the end, and that it is over', async () => {
    await using host = await RiverHost.open('hakuriver');
    await using alerting = startAlerting(rig, { notifications: all });
    host.set({ task_id: id(1), status: 'running', assigned_node: 'gpu-1' });
    await agentTells(started(1));
    const { poller } = pollerOf(host, systemClock);
    alerting.start();
    poller.start();
    await using _ = poller;
    await eventually(async () => (await findOne(1)).scheduler?.status === 'running');

    const endedAt = performance.now();
    await agentTells(ended(1, {}));
    const ghost = () =>
      rig.rows<{ type: string; reason: string }>(
        `select type, body->'condition'->>'reason' as reason from notifications where body->'condition'->>'type' = 'TaskGhost' order by created_at`,
      );
    await eventually(async () => (await ghost()).length === 1, { timeoutMs: 15_000 });
    const tookMs = performance.now() - endedAt;
    host.set({ task_id: id(1), status: 'killed' });
    await eventually(async () => (await ghost()).length === 2, { timeoutMs: 15_000 });

    expect(tookMs).toBeGreaterThan(5000);
    expect(tookMs).toBeLessThan(10_000);
    expect(await ghost()).toMatchObject([
      { type: 'condition.fired', reason: `river says that task ${id(1)} runs on gpu-1; the agent there saw it end` },
      { type: 'condition.resolved', reason: 'river does not say so any more' },
    ]);
  });

  it.each<[string, object]>([
    ['is away', { status: 'offline' }],
    ['is blind', { sources: [{ ...seeing[0], state: 'blind' }, seeing[1]] }],
  ])('has no ghosts on a node whose agent %s', async (_, change) => {
    await using host = await RiverHost.open('hakuriver');
    await rig.setNode('n1', change);
    host.set({ task_id: id(1), status: 'running', assigned_node: 'gpu-1' });
    const { poller, clock } = pollerOf(host);

    for (let look = 0; look < 4; look += 1) {
      await poller.look();
      await (clock as ManualClock).advance(5000);
    }

    expect(await rig.rows(`select kind from events`)).toEqual([]);
  });

  it.each(['its scheduler says so', 'its scheduler is configured no more'])(
    'ends a ghost of before a restart when %s',
    async (why) => {
      await using host = await RiverHost.open('hakuriver');
      await using alerting = startAlerting(rig);
      host.set({ task_id: id(1), status: 'running', assigned_node: 'gpu-1' });
      const firing = () => rig.rows(`select 1 from alerts where condition = 'TaskGhost' and status = 'firing'`);
      const { poller, clock } = pollerOf(host);
      for (let look = 0; look < 3; look += 1) {
        await poller.look();
        await (clock as ManualClock).advance(5000);
      }
      await alerting.engine.round();
      expect(await firing()).toHaveLength(1);

      if (why === 'its scheduler says so') {
        host.set({ task_id: id(1), status: 'failed' });
        await pollerOf(host).poller.look();
        await alerting.engine.round();
        expect(await firing()).toEqual([]);
        return;
      }
      const none = await startSchedulers({
        config: [],
        db: rig.db,
        report: async () => {},
        onJoined: () => {},
        clock: systemClock,
        log,
      });
      await none[Symbol.asyncDispose]();
      await alerting.engine.round();
      expect(await firing()).toEqual([]);
    },
  );

  it('says that a scheduler is away: in its state at once, as a condition after 30 s, and when it is back', async () => {
    await using host = await RiverHost.open('hakuriver');
    const { poller, reports, clock } = pollerOf(host);
    await poller.look();
    host.mischief = 'reset';
    await poller.look();
    expect(poller.state).toMatchObject({ state: 'unreachable', reason: 'the connection was closed before an answer' });
    await (clock as ManualClock).advance(31_000);
    await poller.look();
    await poller.look();
    host.mischief = null;
    await poller.look();

    expect(poller.state).toMatchObject({ state: 'reading', reason: null, running: 0 });
    expect(reports).toEqual([
      'SchedulerUnreachable river false',
      'SchedulerUnreachable river true',
      'SchedulerUnreachable river false',
    ]);
  });

  it('F124 keeps what tasks were given in their environment out of every table and every log line', async () => {
    await using host = await RiverHost.open('kohakuriver');
    logged.length = 0;
    const { poller } = pollerOf(host);
    await poller.look();
    host.set({ task_id: id(1), status: 'running', assigned_node: 'gpu-1' });
    host.set({ task_id: id(2), status: 'failed', exit_code: 2, assigned_node: 'far-1' });
    await agentTells(started(1));
    await poller.look();
    for (const mischief of ['garbage', 'cut', 'object', 'no-tasks', { status: 500 }] as const) {
      host.mischief = mischief;
      await poller.look();
    }

    const tables = [
      'tasks',
      'events',
      'nodes',
      'scheduler_tasks',
      'collector_state',
      'condition_states',
      'notifications',
    ];
    const rows = await Promise.all(
      tables.map((name) => rig.rows<{ row: string }>(`select t::text as row from ${name} t`)),
    );
    expect(rows.flat().length).toBeGreaterThan(5);
    expect(JSON.stringify(rows)).not.toContain('canary');
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toContain('canary');
  });
});
