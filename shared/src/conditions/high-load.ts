import type { Condition } from './condition.ts';
import { twice } from './severity.ts';
import { numberText } from './wording.ts';

/** The one-minute load average against a multiple of the number of CPUs. The value is the load itself. */
export const highLoad: Condition = {
  type: 'HighLoad',
  measure({ sample }, { load }) {
    const { load1, cpu_count: cpuCount } = sample;
    const isRead = load1 !== null && cpuCount !== null && cpuCount > 0;
    const cpus = cpuCount ?? 1;
    const threshold = load.threshold * cpus;
    return [
      {
        subject: '',
        level: { threshold, clear: load.clear * cpus, forMs: load.forMs },
        criticalAbove: twice(threshold),
        items: isRead
          ? [{ value: load1, text: `load ${load1.toFixed(2)} on ${cpus} CPU${cpus === 1 ? '' : 's'}` }]
          : [],
        missing: isRead ? [] : [load1 === null ? 'load average' : 'number of CPUs'],
        absent: '',
        limit: `threshold ${numberText(threshold)}`,
      },
    ];
  },
};
