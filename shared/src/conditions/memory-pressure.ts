import type { Condition } from './condition.ts';
import { halfwayToFull } from './severity.ts';
import { numberText, percentText } from './wording.ts';

/** Memory that no program could get without swapping, in percent of all: (total − available) / total. */
export const memoryPressure: Condition = {
  type: 'MemoryPressure',
  measure({ sample }, { memory: level }) {
    const { memory_total_bytes: totalBytes, memory_available_bytes: availableBytes } = sample;
    const isRead = totalBytes !== null && totalBytes > 0 && availableBytes !== null;
    const value = isRead ? ((totalBytes - availableBytes) / totalBytes) * 100 : 0;
    return [
      {
        subject: '',
        level,
        criticalAbove: halfwayToFull(level.threshold),
        items: isRead ? [{ value, text: `memory ${percentText(value, level.threshold)} used` }] : [],
        missing: isRead ? [] : ['available memory'],
        absent: '',
        limit: `threshold ${numberText(level.threshold)}%`,
      },
    ];
  },
};
