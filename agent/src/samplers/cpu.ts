import { StandingKernelFile } from '../proc/kernel-file.ts';
import { type CpuTimes, parseCpuTimes } from '../proc/stat.ts';
import { hundredths } from './rounding.ts';
import type { Sampler } from './sampler.ts';

/** How busy all CPUs together were since the tick before; null at the first. */
export function createCpuSampler(root: string): Sampler {
  const file = new StandingKernelFile(root, '/proc/stat', 'one');
  let previous: CpuTimes | null = null;
  return {
    name: 'cpu',
    sample() {
      const times = file.read(parseCpuTimes);
      const percent = times !== null && previous !== null ? busyPercent(previous, times) : null;
      previous = times;
      return { sample: { cpu_percent: percent, cpu_count: times?.cpuCount ?? null } };
    },
    close: () => file.close(),
  };
}

/** Null when no time passed. Idle and waiting time may step back a little (proc_stat(5)), so the share is kept in its bounds. */
function busyPercent(before: CpuTimes, after: CpuTimes): number | null {
  const totalTicks = after.totalTicks - before.totalTicks;
  if (totalTicks <= 0) return null;
  return hundredths(Math.min(100, Math.max(0, ((after.busyTicks - before.busyTicks) / totalTicks) * 100)));
}
