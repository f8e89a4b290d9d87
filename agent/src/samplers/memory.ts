import { StandingKernelFile } from '../proc/kernel-file.ts';
import { parseMemInfo } from '../proc/meminfo.ts';
import type { Sampler } from './sampler.ts';

/** Memory and swap. */
export function createMemorySampler(root: string): Sampler {
  const file = new StandingKernelFile(root, '/proc/meminfo', 'one');
  return {
    name: 'memory',
    sample() {
      const memory = file.read(parseMemInfo);
      return {
        sample: {
          memory_total_bytes: memory?.totalBytes ?? null,
          memory_available_bytes: memory?.availableBytes ?? null,
          swap_total_bytes: memory?.swapTotalBytes ?? null,
          swap_free_bytes: memory?.swapFreeBytes ?? null,
        },
      };
    },
    close: () => file.close(),
  };
}
