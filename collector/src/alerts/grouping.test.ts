import fc from 'fast-check';
import { expect, it } from 'vitest';
import { admit, nextWindow, place, type ToldGroup } from './grouping.ts';

const windowMs = 5000;

/** When messages leave, as the engine sends them: a failure that is admitted, and those that waited at the first look after it is due. */
function messagesOf(failuresAt: readonly number[], untilMs: number): number[] {
  let group: ToldGroup | null = null;
  const messages: number[] = [];
  for (let now = 0; now <= untilMs; now += 1000) {
    if (group !== null && group.waiting > 0 && now >= group.toldAt + group.windowMs) {
      messages.push(now);
      group = { toldAt: now, windowMs: nextWindow(group.windowMs), waiting: 0 };
    }
    for (const _failure of failuresAt.filter((at) => at >= now && at < now + 1000)) {
      const told = admit(group, { now, windowMs });
      if (told !== null) messages.push(now);
      if (told !== null) group = { ...told, waiting: 0 };
      else if (group !== null) group = { ...group, waiting: group.waiting + 1 };
    }
  }
  return messages;
}

it('tells a lone failure at once, and the next one too when there was calm between them', () => {
  expect(messagesOf([0, 600_000], 700_000)).toEqual([0, 600_000]);
});

it('tells those that follow at once together after the window', () => {
  expect(messagesOf([0, 1000, 2000, 4000], 700_000)).toEqual([0, 5000]);
});

it('F097: tells 5,000 failures of a minute in three messages of the first minute, and what is left five minutes later', () => {
  const failures = Array.from({ length: 5000 }, (_, index) => index * 12);
  expect(messagesOf(failures, 3_600_000)).toEqual([0, 5000, 45_000, 365_000]);
});

it('never tells more than three times in five minutes, and nothing is left waiting', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_200_000 }), { maxLength: 60 }), (at) => {
      const failures = at.toSorted((a, b) => a - b);
      const messages = messagesOf(failures, 8_000_000);
      for (const start of messages)
        expect(messages.filter((one) => one >= start && one < start + 300_000).length).toBeLessThanOrEqual(3);
      expect(messages.at(-1) ?? 0).toBeGreaterThanOrEqual(Math.floor((failures.at(-1) ?? 0) / 1000) * 1000);
    }),
    { numRuns: 1000 },
  );
});

it('F097: lets a hundred and first kind within a minute wait with those of any kind, as long as that goes on', () => {
  const asked = { own: null, any: null, isOfJob: true, kinds: 99, now: 0, windowMs: 30_000 };
  expect(place(asked)).toMatchObject({ where: 'own', isTold: true });
  const beyond = place({ ...asked, kinds: 100 });
  expect(beyond).toEqual({ where: 'any', isTold: false, group: { toldAt: 0, windowMs: 30_000, waiting: 1 } });
  expect(place({ ...asked, isOfJob: false, kinds: 100 })).toMatchObject({ where: 'own', isTold: true });
  expect(place({ ...asked, any: beyond.group, now: 100_000 })).toMatchObject({ where: 'any', group: { waiting: 2 } });
  const told = { toldAt: 30_000, windowMs: 120_000, waiting: 0 };
  expect(place({ ...asked, any: told, now: 149_000 })).toMatchObject({ where: 'any', group: { waiting: 1 } });
  expect(place({ ...asked, any: told, kinds: 0, now: 150_000 })).toMatchObject({ where: 'own', isTold: true });
});

it('tells or keeps a failure with its own kind while that kind has one', () => {
  const own = { toldAt: 0, windowMs: 30_000, waiting: 0 };
  const asked = { own, any: { toldAt: 0, windowMs: 30_000, waiting: 9 }, kinds: 9, isOfJob: true, windowMs: 30_000 };
  expect(place({ ...asked, now: 1000 })).toEqual({ where: 'own', isTold: false, group: { ...own, waiting: 1 } });
  expect(place({ ...asked, now: 30_000 })).toMatchObject({ where: 'own', isTold: true });
});
