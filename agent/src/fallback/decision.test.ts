import { describe, expect, it } from 'vitest';
import { answered, type Contact, decide, pass, wake } from './decision.ts';
import { type FallbackState, nothingKept, readState, type Told, textOf } from './state.ts';

const minuteMs = 60_000;
const settings = { afterMs: 15 * minuteMs };
const noon = Date.UTC(2026, 0, 1, 12);
const working: Contact = { kind: 'working' };
const gone: Contact = { kind: 'unreachable', reason: 'nothing listens there' };
const place = { key: 'k1', rank: 0 };
const told: Told = {
  key: 'k1',
  rank: 0,
  since: '2026-01-01T12:00:00.000Z',
  cause: { kind: 'unreachable', reason: null },
  arrived: 'yes',
  end: 'open',
};
const stateOf = (changes: Partial<FallbackState> = {}): FallbackState => ({ ...nothingKept, place, ...changes });
/** So many minutes of it, a second at a time. */
function aloneFor(state: FallbackState, minutes: number, contact: Contact = gone): FallbackState {
  let next = state;
  for (let second = 1; second <= minutes * 60; second++)
    next = pass(next, { contact, elapsedMs: 1000, nowMs: noon + second * 1000 });
  return next;
}

describe('F128 a deputy whose collector is silent', () => {
  it('tells when its time has come, which is later with each rank', () => {
    const at = (rank: number, minutes: number) =>
      decide(aloneFor(stateOf({ place: { key: 'k1', rank } }), minutes), gone, settings).kind;

    expect([at(0, 14.9), at(0, 15)]).toEqual(['rest', 'tell']);
    expect([at(1, 15.9), at(1, 16)]).toEqual(['rest', 'tell']);
    expect([at(2, 16.9), at(2, 17)]).toEqual(['rest', 'tell']);
  });

  it('says what it heard last, and since when', () => {
    const state = aloneFor(stateOf(), 15);

    expect(state.aloneSince).toBe('2026-01-01T12:00:00.000Z');
    expect(decide(state, gone, settings)).toEqual({
      kind: 'tell',
      ...place,
      cause: { kind: 'unreachable', reason: 'nothing listens there' },
    });
    expect(decide(state, { kind: 'hindered', reason: 'the database takes no writes' }, settings)).toMatchObject({
      cause: { kind: 'hindered', reason: 'the database takes no writes' },
    });
  });

  it('counts from the last contact, and not while the collector does not want it', () => {
    const back = pass(aloneFor(stateOf(), 14), { contact: working, elapsedMs: 1000, nowMs: noon });
    const refused = pass(aloneFor(stateOf(), 14), { contact: { kind: 'unwanted' }, elapsedMs: 1000, nowMs: noon });

    expect(decide(aloneFor(back, 14), gone, settings)).toEqual({ kind: 'rest', why: 'too_early' });
    expect(decide(aloneFor(refused, 14), gone, settings)).toEqual({ kind: 'rest', why: 'too_early' });
    expect(decide(aloneFor(stateOf(), 60), { kind: 'unwanted' }, settings)).toEqual({ kind: 'rest', why: 'unwanted' });
  });

  it('is told of nothing by an agent that is no deputy', () => {
    expect(decide(aloneFor(stateOf({ place: null }), 600), gone, settings)).toEqual({
      kind: 'rest',
      why: 'no_deputy',
    });
  });

  it('tells once: it rests when it came through, tries again when it may not have', () => {
    const state = aloneFor(stateOf(), 100);

    expect(decide({ ...state, told }, gone, settings)).toEqual({ kind: 'rest', why: 'told' });
    for (const arrived of ['no', 'perhaps'] as const)
      expect(decide({ ...state, told: { ...told, arrived } }, gone, settings)).toMatchObject({
        kind: 'tell',
        key: 'k1',
      });
  });

  it('goes on counting in its next life', () => {
    const before = aloneFor(stateOf(), 14);

    const next = wake(readState(textOf(before)), noon + 60 * minuteMs);

    expect(decide(next, gone, settings)).toEqual({ kind: 'rest', why: 'too_early' });
    expect(decide(aloneFor(next, 1), gone, settings).kind).toBe('tell');
    expect(next.aloneSince).toBe('2026-01-01T12:00:00.000Z');
  });

  it('takes no place into its next life that another may have by then', () => {
    const calm = pass(stateOf(), { contact: working, elapsedMs: 1000, nowMs: noon });

    expect(wake(calm, noon + minuteMs).place).toEqual(place);
    expect(wake(calm, noon + 10 * minuteMs).place).toBeNull();
  });
});

describe('F128 the all-clear', () => {
  const decided = (state: FallbackState) => decide(state, working, settings);

  it('is told by whom the collector chooses, and reported until it knows', () => {
    const asking = stateOf({ told });
    const chosen = answered(asking, { kind: 'all_clear', key: 'k1', teller: 'you' });

    expect(decided(asking)).toEqual({ kind: 'report', key: 'k1', transition: 'fired' });
    expect(decided(answered(asking, { kind: 'all_clear', key: 'k1', teller: 'other' }))).toMatchObject({
      kind: 'report',
    });
    expect(decided(chosen)).toEqual({ kind: 'clear' });
    expect(decided({ ...chosen, told: { ...told, end: 'told' } })).toMatchObject({ transition: 'resolved' });
    expect(answered(chosen, { kind: 'all_clear', key: 'k1', teller: 'nobody' }).told).toBeNull();
    expect(answered(asking, { kind: 'all_clear', key: 'k0', teller: 'you' })).toBe(asking);
  });

  it('is not told while the collector is away again, and not twice', () => {
    const ours = stateOf({ told: { ...told, end: 'ours' } });
    const cleared = stateOf({ told: { ...told, end: 'told' } });

    expect(decide(ours, gone, settings)).toEqual({ kind: 'rest', why: 'told' });
    expect(answered(cleared, { kind: 'all_clear', key: 'k1', teller: 'you' })).toBe(cleared);
  });

  it('is not needed for what certainly did not come through', () => {
    expect(decided(stateOf({ told: { ...told, arrived: 'no' } }))).toEqual({ kind: 'forget' });
    expect(decided(stateOf({ told: { ...told, arrived: 'perhaps' } }))).toMatchObject({ kind: 'report' });
  });
});

describe('what is kept of it', () => {
  it('is the same when it is read again, and nothing when it is not ours', () => {
    const state = aloneFor(stateOf({ told: { ...told, end: 'ours' } }), 1);

    expect(readState(textOf(state))).toEqual(state);
    for (const text of [null, '', '{', '{"version":2}', '[]']) expect(readState(text)).toEqual(nothingKept);
  });
});
