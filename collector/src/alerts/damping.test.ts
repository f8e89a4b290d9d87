import fc from 'fast-check';
import { expect, it } from 'vitest';
import { calmNeededMs, flapsOf, isCalm, type PastAlert, reasonWithFlaps } from './damping.ts';

const minute = 60_000;

it('takes an alert for new when it has never been, or long ago', () => {
  expect(flapsOf(null, 0)).toBe(0);
  expect(flapsOf({ flaps: 3, resolvedAt: 0 }, 60 * minute)).toBe(0);
  expect(flapsOf({ flaps: 3, resolvedAt: 0 }, 59 * minute)).toBe(4);
});

it('asks for twice the calm each time, an hour at most', () => {
  expect([0, 1, 2, 3, 4, 60].map((flaps) => calmNeededMs(flaps) / minute)).toEqual([0, 10, 20, 40, 60, 60]);
});

it('says so', () => {
  expect(reasonWithFlaps({ reason: 'memory 95% used', flaps: 0 })).toBe('memory 95% used');
  expect(reasonWithFlaps({ reason: 'memory 95% used', flaps: 2 })).toBe(
    'memory 95% used; it comes and goes, and is over after 20 min of calm',
  );
});

it('F096: a condition that comes and goes in whatever rhythm is told at most six times in any hour', () => {
  const rhythm = fc.record({
    onMs: fc.integer({ min: 5000, max: 40 * minute }),
    offMs: fc.integer({ min: 5000, max: 40 * minute }),
  });
  fc.assert(
    fc.property(rhythm, ({ onMs, offMs }) => {
      let past: PastAlert | null = null;
      let isFiring = false;
      let flaps = 0;
      let calmSince: Date | null = null;
      const messages: number[] = [];
      for (let now = 0; now < 300 * minute; now += 5000) {
        const holds = now % (onMs + offMs) < onMs;
        calmSince = holds ? null : (calmSince ?? new Date(now));
        if (holds && !isFiring) flaps = flapsOf(past, now);
        const isOver: boolean = isFiring && !holds && isCalm({ flaps, calmSince }, now);
        if (isOver) past = { flaps, resolvedAt: now };
        if (isOver || (holds && !isFiring)) messages.push(now);
        isFiring = holds || (isFiring && !isOver);
      }
      for (const start of messages)
        expect(messages.filter((at) => at >= start && at < start + 60 * minute).length).toBeLessThanOrEqual(6);
    }),
    { numRuns: 300 },
  );
});
