import { StandingKernelFile } from '../proc/kernel-file.ts';
import { parseLoadAverage } from '../proc/loadavg.ts';
import type { Sampler } from './sampler.ts';

/** The three load averages. */
export function createLoadSampler(root: string): Sampler {
  const file = new StandingKernelFile(root, '/proc/loadavg', 'one');
  return {
    name: 'load',
    sample() {
      const load = file.read(parseLoadAverage);
      return { sample: { load1: load?.load1 ?? null, load5: load?.load5 ?? null, load15: load?.load15 ?? null } };
    },
    close: () => file.close(),
  };
}
