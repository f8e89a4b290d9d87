import { readUptimeSeconds } from '../proc/uptime.ts';
import type { Sampler } from './sampler.ts';

/** How long the machine has been up. */
export function createUptimeSampler(root: string): Sampler {
  return { name: 'uptime', sample: () => ({ sample: { uptime_s: readUptimeSeconds(root) } }) };
}
