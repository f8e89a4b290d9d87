import { describeExit, type ExitStatus } from './exit-status.ts';
import type { Finding } from './finding.ts';
import { statusOf } from './judge-exit.ts';
import type { RunFacts } from './run-facts.ts';

/** Percent. A disk is never used to the last block: who asks for two finds only one. */
const fullPercent = 99.5;

/** Was there no room left for what it wrote? Proven by two witnesses only: its own complaint, and a full disk. */
export function diskFull({ disk }: RunFacts, exit: ExitStatus | null): Finding | null {
  if (exit === null || (exit.kind === 'code' && exit.code === 0)) return null;
  const full = disk.fullest !== null && disk.fullest.usedPercent >= fullPercent ? disk.fullest : null;
  // Where it could have complained and did not, a full disk was not what stopped it.
  if (disk.complaint === null && (full === null || !disk.isLogUnread)) return null;
  const where = full === null ? '' : `: ${describeDisk(full)}`;
  const why = disk.complaint === null ? 'while its disk was full' : 'and had found no space left to write';
  return {
    status: statusOf(exit),
    cause: 'disk_full',
    confidence: full !== null && disk.complaint !== null ? 'proven' : 'likely',
    summary: `Ended with ${describeExit(exit)} ${why}${where}.`,
  };
}

/** `/data was 99.8% full`, `/data had used 100% of its inodes`. */
export function describeDisk({ mount, of, usedPercent }: NonNullable<RunFacts['disk']['fullest']>): string {
  const percent = `${Number(usedPercent.toFixed(1))}%`;
  return of === 'space' ? `${mount} was ${percent} full` : `${mount} had used ${percent} of its inodes`;
}

/** ENOSPC and EDQUOT as libc, Python and Node word them. */
const noSpace = /no space left on device|\bENOSPC\b|\[Errno (?:28|122)\]|disk quota exceeded|\bEDQUOT\b/i;

/** The last of its last lines that complains of no space left. */
export function complaintOfNoSpace(logTail: readonly string[]): string | null {
  return logTail.findLast((line) => noSpace.test(line)) ?? null;
}
