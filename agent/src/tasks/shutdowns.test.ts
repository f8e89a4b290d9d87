import { describe, expect, it } from 'vitest';
import { Shutdowns } from './shutdowns.ts';

const startedAt = 1_000_000;
const down = (at: number) => ({ isStopping: true, at });

describe('the node going down', () => {
  it('explains what ends from then on, and what ended the moment before', () => {
    const shutdowns = new Shutdowns({ since: null, startedAt });

    shutdowns.see(down(2_000_000));

    expect([2_000_000, 2_005_000, 1_998_500].map((at) => shutdowns.explains(at))).toEqual([true, true, true]);
    expect(shutdowns.explains(1_990_000)).toBe(false);
  });

  it('began when the first of those who say so said it', () => {
    const shutdowns = new Shutdowns({ since: null, startedAt });

    for (const at of [2_000_500, 2_000_000, 2_003_000]) shutdowns.see(down(at));

    expect(shutdowns.since).toBe(2_000_000);
  });

  it('explains nothing any more when it was cancelled', () => {
    const shutdowns = new Shutdowns({ since: null, startedAt });

    shutdowns.see(down(2_000_000));
    shutdowns.see({ isStopping: false, at: 2_001_000 });

    expect(shutdowns.explains(2_002_000)).toBe(false);
  });

  it('of an earlier boot explains the ends of that boot, not of this one', () => {
    const shutdowns = new Shutdowns({ since: 900_000, startedAt });

    expect(shutdowns.explains(900_400)).toBe(true);
    expect(shutdowns.explains(800_000)).toBe(false);
    expect(shutdowns.explains(1_000_400)).toBe(false);
  });

  it('may be read back from an earlier boot after it is known, or before this boot goes down', () => {
    const shutdowns = new Shutdowns({ since: 900_000, startedAt });

    shutdowns.see(down(900_100));
    shutdowns.see(down(2_000_000));
    shutdowns.see(down(900_100));

    expect(shutdowns.explains(2_000_100)).toBe(true);
    expect(shutdowns.explains(1_500_000)).toBe(false);
  });
});
