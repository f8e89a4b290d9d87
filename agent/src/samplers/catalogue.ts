import type { ProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import { readUptimeSeconds } from '../proc/uptime.ts';
import { createCpuSampler } from './cpu.ts';
import { createDiskSampler } from './disk.ts';
import { createLoadSampler } from './load.ts';
import { createMemorySampler } from './memory.ts';
import { createNetworkSampler } from './network.ts';
import { createPortableSampler } from './portable.ts';
import { createPressureSampler } from './pressure.ts';
import { createProcessesSampler } from './processes.ts';
import type { Sampler } from './sampler.ts';
import { createSelfSampler, type OwnProcess } from './self.ts';
import { createUptimeSampler } from './uptime.ts';

export interface SamplerSettings {
  /** `/`, or a captured tree. */
  readonly root: string;
  /** Those of the process rules. */
  readonly processMatches: readonly ProcessMatch[];
  readonly ownProcess: OwnProcess;
}

/** Every sampler of this machine; where there is no `/proc`, a library's readings in their place. */
export function createSamplers({ root, processMatches, ownProcess }: SamplerSettings): Sampler[] {
  if (readUptimeSeconds(root) === null) return [createPortableSampler(processMatches), createSelfSampler(ownProcess)];
  return [
    createUptimeSampler(root),
    createCpuSampler(root),
    createLoadSampler(root),
    createMemorySampler(root),
    createPressureSampler(root),
    createNetworkSampler(root),
    createDiskSampler({ root }),
    createProcessesSampler(root, processMatches),
    createSelfSampler(ownProcess),
  ];
}
