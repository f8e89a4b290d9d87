import type { Condition } from './condition.ts';
import { halfwayToFull } from './severity.ts';
import { numberText, percentText } from './wording.ts';

/** Inodes used on any disk whose file system counts them. */
export const inodePressure: Condition = {
  type: 'InodePressure',
  measure({ sample, unreadDisks }, { inode: level }) {
    const items = (sample.disks ?? []).flatMap(({ mount, inodes_used_percent: value }) =>
      value === null ? [] : [{ value, text: `${mount} ${percentText(value, level.threshold)} of inodes used` }],
    );
    return [
      {
        subject: '',
        level,
        criticalAbove: halfwayToFull(level.threshold),
        items,
        missing: sample.disks === null ? ['disks'] : unreadDisks,
        absent: 'no mounted disk counts inodes',
        limit: `threshold ${numberText(level.threshold)}%`,
      },
    ];
  },
};
