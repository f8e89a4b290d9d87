import { readLoadAverage } from '../proc/loadavg.ts';
import type { Sampler } from './sampler.ts';

/** The three load averages. */
export function createLoadSampler(root: string): Sampler {
  return {
    name: 'load',
    sample() {
      const load = readLoadAverage(root);
      return { sample: { load1: load?.load1 ?? null, load5: load?.load5 ?? null, load15: load?.load15 ?? null } };
    },
  };
}
