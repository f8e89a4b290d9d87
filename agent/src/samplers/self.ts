import { hundredths } from './rounding.ts';
import type { Sampler } from './sampler.ts';

/** The part of `process` that tells of itself. */
export type OwnProcess = Pick<NodeJS.Process, 'memoryUsage' | 'cpuUsage'>;

/** Our own process: memory, and CPU since the tick before (the first time: null). */
export function createSelfSampler(own: OwnProcess): Sampler {
  let previous: { cpuUsec: number; atMs: number } | null = null;
  return {
    name: 'self',
    sample({ monotonicMs }) {
      const { user, system } = own.cpuUsage();
      const cpuUsec = user + system;
      const elapsedMs = previous === null ? 0 : monotonicMs - previous.atMs;
      const cpuPercent =
        previous !== null && elapsedMs > 0 ? hundredths((cpuUsec - previous.cpuUsec) / 10 / elapsedMs) : null;
      previous = { cpuUsec, atMs: monotonicMs };
      return { sample: { self: { rss_bytes: own.memoryUsage.rss(), cpu_percent: cpuPercent } } };
    },
  };
}
