import { randomBytes } from 'node:crypto';

let lastMs = 0;
let count = 0;

/** 32 hex digits that sort by the time they were made, also within one millisecond: 12 of time, 4 of count, 16 of chance. */
export function newId(now: number): string {
  const ms = Math.max(now, lastMs);
  count = ms === lastMs ? count + 1 : 0;
  lastMs = ms;
  if (count > 0xffff) {
    lastMs += 1;
    count = 0;
  }
  return lastMs.toString(16).padStart(12, '0') + count.toString(16).padStart(4, '0') + randomBytes(8).toString('hex');
}
