import { findObstacle, startHeartbeat } from '@runnerwatch/collector/heartbeat.ts';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestDatabase } from '../support/database.ts';
import { prepared } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink, ok } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';

const minuteMs = 60_000;

describe('the collector’s own heartbeat', () => {
  let test: TestDatabase;
  let clock: ManualClock;
  let state: { isNobodyTold: boolean; sinceRoundMs: number };
  beforeAll(async () => {
    test = await TestDatabase.start('server');
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(() => {
    clock = new ManualClock();
    state = { isNobodyTold: false, sinceRoundMs: 0 };
  });

  function start(sink: HttpSink) {
    const lines: Record<string, unknown>[] = [];
    const heartbeat = startHeartbeat({
      url: new URL(`http://127.0.0.1:${sink.port}/ping/of-ours`),
      token: 'rwp_outside',
      obstacle: () =>
        findObstacle({
          database: test.database,
          sinceRoundMs: () => state.sinceRoundMs,
          isNobodyTold: () => state.isNobodyTold,
          clock,
        }),
      clock,
      log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }),
    });
    const said = () => lines.map(({ msg, reason }) => [msg, reason]);
    return { said, [Symbol.asyncDispose]: () => heartbeat[Symbol.asyncDispose]() };
  }
  /** So many requests have come, and the next waits for its minute. */
  const heard = (sink: HttpSink, times: number) =>
    eventually(() => sink.requests.length === times && clock.sleeping === 1);
  const hasSaid = ({ said }: { said: () => unknown[] }, times: number) =>
    eventually(() => said().length === times && clock.sleeping === 1);
  const unheard = 'heartbeat_url does not hear from this collector';
  const again = 'heartbeat_url hears from this collector again';

  it('F128 asks heartbeat_url at the start and every minute, with the token', async () => {
    await using sink = await HttpSink.open();
    await using _heartbeat = start(sink);

    await heard(sink, 1);
    await clock.advance(minuteMs - 1);
    await clock.advance(1);
    await heard(sink, 2);

    expect(sink.requests[1]).toMatchObject({
      method: 'POST',
      path: '/ping/of-ours',
      body: '',
      headers: { authorization: 'Bearer rwp_outside' },
    });
  });

  it('F128 is silent while the database takes no writes, says so once, and is heard again after it', async () => {
    await using sink = await HttpSink.open();
    await using heartbeat = start(sink);
    await heard(sink, 1);

    const held = await holdTable(test, 'collector_state');
    for (const _ of ['first', 'second']) {
      await clock.advance(minuteMs);
      await clock.advance(10_000);
      await hasSaid(heartbeat, 1);
    }
    expect(sink.requests).toHaveLength(1);
    await held.free();
    await clock.advance(minuteMs);
    await heard(sink, 2);

    await hasSaid(heartbeat, 2);
    expect(heartbeat.said()).toEqual([
      [unheard, 'not sent: the database takes no writes'],
      [again, undefined],
    ]);
  });

  it.each([
    ['nobody can be told', { isNobodyTold: true }, 'no receiver takes notifications'],
    ['nothing is judged', { sinceRoundMs: minuteMs + 1 }, 'alerts are not judged'],
  ])('F128 is silent while %s', async (_, trouble, reason) => {
    Object.assign(state, trouble);
    await using sink = await HttpSink.open();
    await using heartbeat = start(sink);

    await hasSaid(heartbeat, 1);
    expect(heartbeat.said()).toEqual([[unheard, `not sent: ${reason}`]]);
    expect(sink.requests).toEqual([]);

    Object.assign(state, { isNobodyTold: false, sinceRoundMs: 0 });
    await clock.advance(minuteMs);
    await heard(sink, 1);
  });

  it('asks with GET who does not take a POST, and names an answer that is none', async () => {
    await using sink = await HttpSink.open({
      answer: ({ method }) => (method === 'GET' ? ok : { kind: 'status', status: 404 }),
    });
    await using heartbeat = start(sink);
    await heard(sink, 2);

    sink.answer = () => ({ kind: 'status', status: 500 });
    await clock.advance(minuteMs);
    await hasSaid(heartbeat, 1);

    expect(sink.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST']);
    expect(heartbeat.said()).toEqual([[unheard, 'HTTP 500']]);
  });
});

it('F128 a collector asks heartbeat_url when it has started', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();

  await installation.collector({ heartbeat_url: sink.url });

  await eventually(() => sink.requests.length === 1);
  expect(sink.requests[0]).toMatchObject({ method: 'POST', path: '/hook' });
});

/** Until it is freed every write to the table waits. */
async function holdTable({ database }: TestDatabase, table: string): Promise<{ free: () => Promise<void> }> {
  let letGo = () => {};
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let holding: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    holding = database.transaction(async (queries) => {
      await queries.execute(`lock table ${table} in exclusive mode`);
      resolve();
      await free;
    });
  });
  return {
    free: async () => {
      letGo();
      await holding;
    },
  };
}
