import { taskRoutes } from '@runnerwatch/collector/api/routes/tasks.ts';
import type { Event, EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { events, taskRecordings } from '../../collector/src/db/tables/schema.ts';
import { incomingOf, salvageBatch } from '../../collector/src/ingest/incoming.ts';
import { type Committed, createWriter } from '../../collector/src/ingest/writer.ts';
import { deleteTasksEndedBefore } from '../../collector/src/tasks/store.ts';
import { anEvent, ended, started } from '../support/agent-client.ts';
import { AlertRig } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { silentLog, TestDatabase } from '../support/database.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const recording: TaskRecording = {
  interval_ms: 1000,
  until: '2026-11-22T04:00:05.000Z',
  complete_until: '2026-11-22T04:00:05.000Z',
  task: { memory_bytes: [1024, null, 4096.5] },
  node: { cpu_percent: [12.5, 13, 100] },
};

describeOnDatabases('recordings of failed tasks', (kind) => {
  let test: TestDatabase;
  let api: TestApi;
  let seq = { ends: 0, facts: 0 };
  let committed: Committed[] = [];
  beforeAll(async () => {
    test = await TestDatabase.start(kind);
    api = await startApi({ routes: [taskRoutes({ queries: test.database.drizzle, clock: systemClock })] });
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await test[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    const rig = new AlertRig(test);
    await rig.clear();
    await rig.node('n1');
    await rig.node('n2');
    seq = { ends: 0, facts: 0 };
    committed = [];
  });

  const commit = (lane: 'ends' | 'facts', told: readonly Event[], nodeId = 'n1') =>
    createWriter({ database: test.database, log: silentLog, onCommitted: (what) => committed.push(what) }).commit({
      nodeId,
      streamId: `stream-${nodeId}`,
      lane,
      items: incomingOf(told),
      receivedAt: new Date(),
    });
  const recorded = (id: string, more: Partial<TaskRecording> = {}): Event => {
    seq.facts += 1;
    const body: EventBody = { kind: 'task_recording', task_id: id, recording: { ...recording, ...more } };
    return anEvent(seq.facts, body);
  };
  const begun = (id: string) => {
    seq.facts += 1;
    return started(seq.facts, id);
  };
  const ask = async (id: string) => {
    const answer = await fetch(`${api.url}/api/v1/tasks/${id}/recording`);
    return { status: answer.status, body: (await answer.json()) as { error?: { code: string; message: string } } };
  };

  it('are stored beside their task, before or after its end, and told as they came', async () => {
    await commit('facts', [begun('t1'), recorded('t1')]);
    await commit('ends', [ended(1, 't1')]);

    expect(await ask('t1')).toEqual({ status: 200, body: { task_id: 't1', ...recording } });
    expect((await test.database.drizzle.select().from(events)).map(({ kind: what }) => what)).toEqual([
      'task_started',
      'task_ended',
    ]);
  });

  it('are stored once, however often they are told, and the one that reaches further stays', async () => {
    const further = { until: '2026-11-22T04:00:09.000Z' };
    const batch = [begun('t1'), recorded('t1'), recorded('t1', further)];
    await commit('facts', batch);
    await commit('facts', batch);
    await commit('facts', [recorded('t1')]);

    expect((await ask('t1')).body).toMatchObject(further);
    expect(await test.database.drizzle.select().from(taskRecordings)).toHaveLength(1);
  });

  it('are told as a change of their task, which says that it has one', async () => {
    const task = async () => (await fetch(`${api.url}/api/v1/tasks/t1`)).json();
    await commit('facts', [begun('t1')]);
    await commit('ends', [ended(1, 't1')]);
    expect(await task()).toMatchObject({ status: 'failed', has_recording: false });

    await commit('facts', [recorded('t1')]);

    expect(committed.at(-1)).toMatchObject({ eventIds: [], taskIds: ['t1'] });
    expect(await task()).toMatchObject({ has_recording: true });
  });

  it('belong to the node whose task it is', async () => {
    await commit('facts', [begun('t1'), recorded('nobody')]);
    await commit('facts', [recorded('t1')], 'n2');

    expect(await test.database.drizzle.select().from(taskRecordings)).toEqual([]);
  });

  it('go with their task when its time is over', async () => {
    await commit('facts', [begun('t1'), recorded('t1')]);
    await commit('ends', [ended(1, 't1')]);

    expect(await deleteTasksEndedBefore(test.database.drizzle, new Date('2027-01-01'), 10)).toBe(1);
    expect(await test.database.drizzle.select().from(taskRecordings)).toEqual([]);
  });

  it('are missed with a sentence that says why', async () => {
    await commit('facts', [begun('running'), begun('well'), begun('failed')]);
    await commit('ends', [ended(1, 'well', { status: 'completed', exit_code: 0 }), ended(2, 'failed')]);

    const answers = await Promise.all(['running', 'well', 'failed', 'nobody'].map(ask));

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    const sentences = answers.map(({ body }) => body.error?.message);
    expect(sentences).toEqual([
      'task running still runs; its recording is sent when it fails',
      'task well ended as completed; recordings are kept of failures only',
      expect.stringContaining('recorder is off (recorder.window)') as string,
      'there is no task nobody',
    ]);
  });

  it('that make no sense are refused alone', async () => {
    const text = (body: object) => JSON.stringify({ seq: 2, at: '2026-11-22T04:00:00.000Z', body });
    const strange = { kind: 'task_smell', task_id: 't1' };
    const endless = {
      kind: 'task_recording',
      task_id: 't1',
      recording: { ...recording, node: { x: Array(501).fill(1) } },
    };
    const timeless = {
      kind: 'task_recording',
      task_id: 't1',
      recording: { ...recording, until: '2026-99-22T04:00:05.000Z' },
    };

    const salvaged = [strange, endless, timeless].map((body) =>
      salvageBatch(`{"kind":"batch","lane":"facts","events":[${JSON.stringify(begun('t1'))},${text(body)}]}`),
    );

    expect(salvaged.map((batch) => batch?.items.map((item) => item.kind))).toEqual(Array(3).fill(['event', 'refused']));
  });
});
