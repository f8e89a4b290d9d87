import { type Pressure, readPressure } from '../proc/pressure.ts';
import type { Sampler } from './sampler.ts';

/** Pressure stall information, where the kernel keeps it. */
export function createPressureSampler(root: string): Sampler {
  return {
    name: 'pressure',
    sample: () => ({
      sample: {
        psi_cpu: toRecord(readPressure(root, 'cpu')),
        psi_memory: toRecord(readPressure(root, 'memory')),
        psi_io: toRecord(readPressure(root, 'io')),
      },
    }),
  };
}

function toRecord(pressure: Pressure | null): { some_avg10: number; full_avg10: number | null } | null {
  return pressure === null ? null : { some_avg10: pressure.someAvg10, full_avg10: pressure.fullAvg10 };
}
