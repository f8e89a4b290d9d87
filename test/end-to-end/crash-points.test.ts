import { afterEach, describe, expect, it } from 'vitest';
import { allTasks, calm, died, holds, inDatabase, prepared, runShell, telling, toldOf } from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function rig() {
  const sink = await HttpSink.open();
  const installation = await prepared();
  opened.push(sink, installation);
  return { sink, installation };
}

type Rig = Awaited<ReturnType<typeof rig>>;

/** Every end once, every message at least once under one id, and at most one message said twice. */
async function expectExact({ sink, installation }: Rig, codes: number[]): Promise<void> {
  await holds(async () => {
    expect((await allTasks(installation)).map((task) => task.exit_code).toSorted()).toEqual(codes);
    expect(
      toldOf(sink, 'task.ended')
        .map(({ task }) => task?.exit_code)
        .toSorted(),
    ).toEqual(codes);
    const { items } = await installation.get<{ items: { state: string }[] }>('/deliveries?state=pending');
    expect(items).toEqual([]);
  });
  const ends = sink.bodies.filter(({ type }) => type === 'task.ended');
  expect(ends.length).toBeLessThanOrEqual(codes.length + 1);
}

describe('killed at a named step', () => {
  it.each(['received', 'before-commit', 'committed', 'alert-written', 'before-send', 'sent'])(
    'F079 the collector killed at %s loses nothing, stores nothing twice, and repeats one message at most, under its id',
    async (step) => {
      const { sink, installation } = await rig();
      const config = telling(sink, { events: ['end'] });
      expect(await runShell(installation, 'exit 3')).toBe(3);
      const doomed = await installation.collector(config, { RUNNERWATCH_CRASH_POINT: `${step}:1` });
      const agent = installation.agent(calm);
      await died(doomed);
      expect(await runShell(installation, 'exit 4')).toBe(4);

      const last = await installation.collector(config);
      await expectExact({ sink, installation }, [3, 4]);

      const repeats = sink.ids.length - new Set(sink.ids).size;
      expect(repeats).toBe(step === 'sent' ? 1 : 0);
      await agent.end();
      await last.end();
      const stored = await inDatabase(
        installation,
        (sql) => sql<{ count: number }>`
        select count(*)::int as count from events where kind = 'task_ended' group by body->'task'->>'id'`,
      );
      expect(stored.map(({ count }) => count)).toEqual([1, 1]);
    },
  );

  it.each(['seen', 'before-write', 'written'])(
    'F001 the agent killed at %s has the end after its restart, once',
    async (step) => {
      const { sink, installation } = await rig();
      const collector = await installation.collector(telling(sink, { events: ['end'] }));
      expect(await runShell(installation, 'exit 5')).toBe(5);
      // Of a run its beginning comes first, its end second.
      const doomed = installation.agent(calm, { RUNNERWATCH_CRASH_POINT: `${step}:2` });
      await died(doomed);
      expect(await runShell(installation, 'exit 6')).toBe(6);

      const agent = installation.agent(calm);
      await expectExact({ sink, installation }, [5, 6]);

      expect(new Set(sink.ids).size).toBe(sink.ids.length);
      expect((await allTasks(installation)).map(({ amendments }) => amendments)).toEqual([0, 0]);
      await agent.end();
      await collector.end();
      const stored = await inDatabase(
        installation,
        (sql) => sql<{ endings: number }>`
        select count(*)::int as endings from events where kind = 'task_ended' group by body->'task'->>'id'`,
      );
      expect(stored.map(({ endings }) => endings)).toEqual([1, 1]);
    },
  );
});
