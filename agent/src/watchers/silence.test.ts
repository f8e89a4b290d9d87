import { describe, expect, it } from 'vitest';
import { Disagreement, ForkWitness, someOf } from './silence.ts';

const sets = (heard: string[], listed: string[]) => ({ heard: new Set(heard), listed: new Set(listed) });

describe('two witnesses who disagree', () => {
  it('are believed only when they still do at the second look', () => {
    const witnesses = new Disagreement();

    expect(witnesses.check(sets(['a'], ['a', 'b']))).toEqual([]);
    expect(witnesses.isSuspicious).toBe(true);
    expect(witnesses.check(sets(['a', 'b'], ['a', 'b']))).toEqual([]);
    expect(witnesses.isSuspicious).toBe(false);
  });

  it('name what only one of them knows, either way', () => {
    const witnesses = new Disagreement();
    witnesses.check(sets(['gone', 'a'], ['a', 'new']));

    expect(witnesses.check(sets(['gone', 'a'], ['a', 'new']))).toEqual(['new', 'gone']);
  });

  it('are not believed again about what a new connection did not cure, until they have agreed', () => {
    const witnesses = new Disagreement();
    const apart = sets([], ['leftover']);
    witnesses.check(apart);
    expect(witnesses.check(apart)).toEqual(['leftover']);

    expect([witnesses.check(apart), witnesses.check(apart)]).toEqual([[], []]);

    witnesses.check(sets(['leftover'], ['leftover']));
    witnesses.check(apart);
    expect(witnesses.check(apart)).toEqual(['leftover']);
  });

  it('start anew with a new connection', () => {
    const witnesses = new Disagreement();
    witnesses.check(sets([], ['a']));
    witnesses.reset();

    expect(witnesses.check(sets([], ['a']))).toEqual([]);
  });
});

describe('kernel process events', () => {
  it('are silent when processes begin and no event comes', () => {
    const witness = new ForkWitness();

    expect(witness.isSilent({ forks: 1000, events: 50 })).toBe(false);
    expect(witness.isSilent({ forks: 1100, events: 150 })).toBe(false);
    expect(witness.isSilent({ forks: 1110, events: 150 })).toBe(false);
    expect(witness.isSilent({ forks: 1130, events: 150 })).toBe(true);
  });

  it('are not blamed where the count cannot be read', () => {
    const witness = new ForkWitness();
    witness.isSilent({ forks: 1000, events: 0 });

    expect(witness.isSilent({ forks: null, events: 0 })).toBe(false);
    expect(witness.isSilent({ forks: 5000, events: 0 })).toBe(false);
  });
});

it('names two and counts the rest', () => {
  expect(someOf(['a'])).toBe('a');
  expect(someOf(['a', 'b', 'c', 'd'])).toBe('a, b and 2 more');
});
