import type { Condition } from './condition.ts';
import { diskPressure } from './disk-pressure.ts';
import { highLoad } from './high-load.ts';
import { inodePressure } from './inode-pressure.ts';
import { memoryPressure } from './memory-pressure.ts';
import { processHighCpu } from './process-high-cpu.ts';
import { processMemoryPressure } from './process-memory-pressure.ts';

/** What is said of a machine: judged by its agent alone. */
export const hostConditions: readonly Condition[] = [memoryPressure, highLoad, diskPressure, inodePressure];

/** What is said of processes: judged by every one of our programs, of itself at least. */
export const processConditions: readonly Condition[] = [processMemoryPressure, processHighCpu];
