import { StandingKernelFile } from '../proc/kernel-file.ts';
import { parseUptimeSeconds } from '../proc/uptime.ts';
import type { Sampler } from './sampler.ts';

/** How long the machine has been up. */
export function createUptimeSampler(root: string): Sampler {
  const file = new StandingKernelFile(root, '/proc/uptime', 'one');
  return {
    name: 'uptime',
    sample: () => ({ sample: { uptime_s: file.read(parseUptimeSeconds) } }),
    close: () => file.close(),
  };
}
