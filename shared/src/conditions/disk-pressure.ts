import type { Condition } from './condition.ts';
import { halfwayToFull } from './severity.ts';
import { numberText, percentText } from './wording.ts';

/** Space used on any disk. Every offending disk is named, the fullest first; a disk that does not answer leaves it unknown unless another offends. */
export const diskPressure: Condition = {
  type: 'DiskPressure',
  measure({ sample, unreadDisks }, { disk: level }) {
    const disks = sample.disks ?? [];
    return [
      {
        subject: '',
        level,
        criticalAbove: halfwayToFull(level.threshold),
        items: disks.map((disk) => ({
          value: disk.used_percent,
          text: `${disk.mount} ${percentText(disk.used_percent, level.threshold)} used`,
        })),
        missing: sample.disks === null ? ['disks'] : unreadDisks,
        absent: 'no disk is mounted',
        limit: `threshold ${numberText(level.threshold)}%`,
      },
    ];
  },
};
