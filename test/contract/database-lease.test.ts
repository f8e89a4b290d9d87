import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type LeaseOptions, takeLease } from '../../collector/src/db/lease.ts';
import { silentLog, TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

describeOnDatabases('the lease of a database', (kind) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let lost: string[];
  beforeAll(async () => {
    test = await TestDatabase.start(kind);
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(async () => {
    await test.database.sql`delete from collector_state`;
    clock = new ManualClock();
    lost = [];
  });

  const take = (holder: string, options: Partial<LeaseOptions> = {}) =>
    takeLease(test.database, {
      holder,
      clock,
      log: silentLog,
      signal: new AbortController().signal,
      onLost: () => lost.push(holder),
      ...options,
    });
  /** As after a time in which its holder did not move. */
  const runOut = () =>
    test.database
      .sql`update collector_state set value = jsonb_set(value, '{until}', to_jsonb(now() - interval '1 ms')) where key = 'lease'`;

  it('F080 is one collector’s; another stands by until it is given back', async () => {
    const first = await take('a');
    let second: AsyncDisposable | null | undefined;
    const waiting = take('b').then((lease) => {
      second = lease;
    });

    await clock.advance(60_000);
    expect(second).toBeUndefined();
    await first?.[Symbol.asyncDispose]();
    await eventually(async () => {
      await clock.advance(5000);
      return second;
    });
    await waiting;

    await second?.[Symbol.asyncDispose]();
    expect(lost).toEqual([]);
  });

  it('F080 passes on when its holder stands still, which ends when it moves again', async () => {
    const frozen = await take('a', { clock: new ManualClock() });
    const thawed = new ManualClock();
    const slow = await take('a', { clock: thawed });
    await runOut();
    const second = await take('b');

    await eventually(async () => {
      await thawed.advance(5000);
      return lost.length > 0;
    });

    expect(lost).toEqual(['a']);
    for (const lease of [frozen, slow]) await lease?.[Symbol.asyncDispose]();
    expect(await test.database.sql`select value->>'holder' as holder from collector_state`).toEqual([{ holder: 'b' }]);
    await second?.[Symbol.asyncDispose]();
  });

  it('F080 goes to one alone of many that come at once, and back at once to one that was killed', async () => {
    const stopping = new AbortController();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const taken: string[] = [];
    const all = names.map(async (name) => {
      const lease = await take(name, { signal: stopping.signal });
      if (lease !== null) taken.push(name);
      return lease;
    });
    await eventually(() => taken.length > 0);

    const again = await take(taken[0] ?? '');
    stopping.abort();

    const leases = [again, ...(await Promise.all(all))];
    expect(again).not.toBeNull();
    expect(taken).toHaveLength(1);
    for (const lease of leases) await lease?.[Symbol.asyncDispose]();
  });
});
