import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchersOf } from './matcher.ts';
import { afterSilenceMs, concernsNode, findSilence, findSilenceBefore, type Silence, silentUntil } from './silence.ts';
import { createWindow } from './window.ts';

const now = Date.parse('2026-11-22T12:00:00.000Z');
const hourMs = 3_600_000;
const silence = (more: Partial<Silence> = {}): Silence => ({
  id: 's',
  author: 'ada',
  reason: 'disks',
  matchers: [],
  startsAt: now - hourMs,
  endsAt: now + hourMs,
  window: null,
  ...more,
});
const night = createWindow({ time_zone: 'Europe/Berlin', from: '22:00', to: '07:00' });

describe('a silence', () => {
  it('F101 holds from its start, until its end and not at it; of zero length it never does', () => {
    expect(silentUntil(silence(), now)).toBe(now + hourMs);
    expect(silentUntil(silence({ startsAt: now, endsAt: now + 1 }), now)).toBe(now + 1);
    expect(silentUntil(silence({ endsAt: now }), now)).toBeNull();
    expect(silentUntil(silence({ startsAt: now, endsAt: now }), now)).toBeNull();
    expect(silentUntil(silence({ endsAt: null }), now)).toBe(Number.POSITIVE_INFINITY);
  });

  it('that comes again ends with its hours, or before them when it is over', () => {
    const at = Date.parse('2026-11-22T22:00:00.000Z');
    const window = night;

    expect(silentUntil(silence({ window, endsAt: null }), now)).toBeNull();
    expect(silentUntil(silence({ window, endsAt: null }), at)).toBe(Date.parse('2026-11-23T06:00:00.000Z'));
    expect(silentUntil(silence({ window, endsAt: at + hourMs }), at)).toBe(at + hourMs);
  });

  it('of a drain keeps nothing back by itself, and is remembered like any other', () => {
    const drain = silence({ isDrain: true });

    expect(findSilence([drain], { attributes: {}, now })).toBeNull();
    expect(findSilenceBefore([drain], { attributes: {}, now: now + 2 * hourMs })?.endedAt).toBe(now + hourMs);
  });

  it('is remembered for a day, the last that ended first', () => {
    const silences = [silence({ id: 'a' }), silence({ id: 'b', endsAt: now + 2 * hourMs })];
    const before = (at: number) => findSilenceBefore(silences, { attributes: {}, now: at })?.silence.id ?? null;

    expect([now, now + hourMs, now + 3 * hourMs].map(before)).toEqual([null, 'a', 'b']);
    expect(before(now + 2 * hourMs + afterSilenceMs + 1)).toBeNull();
  });

  it('that comes again is remembered by the last of its hours', () => {
    const window = night;
    const morning = Date.parse('2026-11-22T06:00:00.000Z');
    const endOf = (one: Silence) => findSilenceBefore([one], { attributes: {}, now })?.endedAt ?? null;

    expect(endOf(silence({ window, startsAt: 0, endsAt: null }))).toBe(morning);
    expect(endOf(silence({ window, startsAt: 0, endsAt: morning - hourMs }))).toBe(morning - hourMs);
    expect(endOf(silence({ window, startsAt: 0, endsAt: now - hourMs }))).toBe(morning);
    expect(endOf(silence({ window, startsAt: now - hourMs, endsAt: null }))).toBeNull();
  });

  it('never holds and is over at the same instant', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (start, length, recurs) => {
          const startsAt = now + start * hourMs;
          const one = silence({ startsAt, endsAt: startsAt + length * hourMs, window: recurs ? night : null });
          const holding = findSilence([one], { attributes: {}, now });
          const over = findSilenceBefore([one], { attributes: {}, now });
          if (holding !== null) expect(holding.until).toBeGreaterThan(now);
          if (over !== null) expect(over.endedAt).toBeLessThanOrEqual(now);
          if (!recurs) expect(holding !== null && over !== null).toBe(false);
        },
      ),
    );
  });
});

describe('a silence concerns a node', () => {
  const node = { node: 'gpu-7', node_id: '5f0c', labels: { rack: 'r1' } };
  const concerns = (written: Record<string, string | string[]>) => concernsNode(matchersOf(written), node);

  it('by its name, its id or its labels, all of which must fit', () => {
    expect([concerns({ node: 'gpu-7' }), concerns({ node: '5f0c' }), concerns({ node: ['cpu-1', 'gpu-*'] })]).toEqual([
      true,
      true,
      true,
    ]);
    expect([concerns({ 'label.rack': 'r?' }), concerns({ node: 'gpu-*', 'label.rack': 'r2' })]).toEqual([true, false]);
    expect([concerns({ node: 'gpu-70' }), concerns({ 'label.zone': '*' })]).toEqual([false, false]);
  });

  it('whatever it says of its tasks besides, and by a condition wherever that is', () => {
    expect([concerns({ node: 'gpu-*', job: 'nightly' }), concerns({ condition: 'HighLoad' })]).toEqual([true, true]);
    expect([concerns({ job: '*' }), concerns({ owner: 'ada', severity: 'critical' })]).toEqual([false, false]);
  });
});
