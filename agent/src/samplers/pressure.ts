import { StandingKernelFile } from '../proc/kernel-file.ts';
import { type Pressure, parsePressure } from '../proc/pressure.ts';
import type { Sampler } from './sampler.ts';

/** Pressure stall information, where the kernel keeps it. */
export function createPressureSampler(root: string): Sampler {
  const of = (resource: 'cpu' | 'memory' | 'io') => new StandingKernelFile(root, `/proc/pressure/${resource}`, 'one');
  const [cpu, memory, io] = [of('cpu'), of('memory'), of('io')];
  return {
    name: 'pressure',
    sample: () => ({
      sample: {
        psi_cpu: toRecord(cpu.read(parsePressure)),
        psi_memory: toRecord(memory.read(parsePressure)),
        psi_io: toRecord(io.read(parsePressure)),
      },
    }),
    close() {
      for (const file of [cpu, memory, io]) file.close();
    },
  };
}

function toRecord(pressure: Pressure | null): { some_avg10: number; full_avg10: number | null } | null {
  return pressure === null ? null : { some_avg10: pressure.someAvg10, full_avg10: pressure.fullAvg10 };
}
