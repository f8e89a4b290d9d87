import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { loadTrim, startTrimming } from './spare-memory.ts';

it('hands back what the C library holds free', async () => {
  const trim = await loadTrim();

  expect(trim?.()).toBe(true);
});

it('stops at once, however long it would still sleep', async () => {
  const clock = new ManualClock();
  const trimming = startTrimming(clock);
  await clock.advance(15_000);

  await expect(trimming.stop()).resolves.toBeUndefined();
  await expect(trimming.stop()).resolves.toBeUndefined();
});
