import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { formatSize } from '@runnerwatch/shared/runtime/size.ts';
import type { Rule } from './advice-rule.ts';
import type { RunFacts } from './run-facts.ts';

/** `It peaked at 3.98 of 4.0 GiB and grew 40 MiB/s for the last 1m30s: raise MemoryMax= above 5.0 GiB, or …` */
export const overItsLimit: Rule = ({ cause, facts }) => {
  const { memory, source } = facts;
  if (cause !== 'oom_limit' || (memory.kernelOom?.group ?? null) !== null) return null;
  const limitBytes = memory.kernelOom?.limitBytes ?? memory.limitBytes;
  if (limitBytes === null) return null;
  const setting = source === 'systemd' ? 'MemoryMax=' : source === 'run' ? "the limit of the run's cgroup" : '--memory';
  const reached =
    memory.peakBytes === null
      ? `It reached its limit of ${formatSize(limitBytes)}`
      : `It peaked at ${ofLimit(memory.peakBytes, limitBytes)}`;
  return `${reached}${growth(facts, limitBytes)}: raise ${setting} above ${formatSize(roomier(limitBytes))}, or make it need less, for example by a smaller batch.`;
};

export const groupOverItsLimit: Rule = ({ cause, facts: { memory } }) => {
  const group = memory.kernelOom?.group ?? null;
  if (cause !== 'oom_limit' || group === null) return null;
  const limitBytes = memory.kernelOom?.limitBytes ?? null;
  const limit = limitBytes === null ? '' : `, ${formatSize(limitBytes)},`;
  return `The limit${limit} is that of ${group}, which the task shares with others: raise it, or give each of them a limit of its own, so that the one at fault is the one that dies.`;
};

export const nodeWasFull: Rule = ({ cause, facts: { memory } }) => {
  if (cause !== 'oom_host') return null;
  const full = memory.kernelOom?.isGlobal === true ? 'The node itself' : 'The node, or a group around the task,';
  const largest = memory.kernelOom?.largest ?? null;
  const who =
    largest === null ? '' : `; ${largest.comm} (pid ${largest.pid}) had ${formatSize(largest.rssBytes)} of it`;
  return `${full} ran out of memory${who}: give its tasks limits that add up to less than the node has, so that the one at fault is the one that dies.`;
};

export const childWasKilled: Rule = ({ cause, facts: { memory } }) => {
  if (cause !== 'oom_child') return null;
  const limit =
    memory.limitBytes === null
      ? ''
      : `, and raise the limit of ${formatSize(memory.limitBytes)} above ${formatSize(roomier(memory.limitBytes))}`;
  return `Part of its work is missing: look at what the killed process was to do${limit}.`;
};

/** Half a minute of the present growth is worth a word when it would have come to a hundredth of the limit. */
const notedOverMs = 30_000;
const notedShare = 0.01;

function growth({ memory: { trend } }: RunFacts, limitBytes: number): string {
  if (trend === null) return '';
  const { bytesPerSecond, overMs } = trend;
  if ((bytesPerSecond * notedOverMs) / 1000 < limitBytes * notedShare) return '';
  return ` and grew ${formatSize(bytesPerSecond)}/s for the last ${formatDuration(overMs)}`;
}

/** A quarter more, rounded up to 64 MiB, as people set limits. */
function roomier(limitBytes: number): number {
  return Math.ceil((limitBytes * 1.25) / 2 ** 26) * 2 ** 26;
}

/** In the limit's unit, and close enough to tell the two apart: `3.98 of 4.0 GiB`, `50 of 50 MiB`. */
function ofLimit(peakBytes: number, limitBytes: number): string {
  const [limit = '', unit = ''] = formatSize(limitBytes).split(' ');
  const unitBytes = 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit);
  const peak = peakBytes >= limitBytes ? limit : (peakBytes / unitBytes).toFixed(unitBytes === 1 ? 0 : 2);
  return `${peak} of ${limit} ${unit}`;
}
