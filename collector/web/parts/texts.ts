import type { Node, Task, Verdict } from '../data/api-types.ts';
import type { Zone } from '../theme/zone.ts';

/* Values as people read them. Unknown is a dash, never 0. */

export const dash = '–';

export function durationText(ms: number | null | undefined): string {
  if (!isKnown(ms) || ms < 0) return dash;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} m`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function agoText(instant: string | null | undefined, nowMs: number): string {
  const atMs = Date.parse(instant ?? '');
  if (Number.isNaN(atMs)) return dash;
  const seconds = Math.max(0, Math.floor((nowMs - atMs) / 1000));
  if (seconds < 3) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `22 Nov 03:54:34`, with the year when it is another. */
export function instantText(instant: string | null | undefined, { zone }: { zone: Zone }): string {
  const at = new Date(instant ?? '');
  if (Number.isNaN(at.getTime())) return dash;
  const isThisYear = at.getFullYear() === new Date().getFullYear();
  return at.toLocaleString('en-GB', {
    ...(isThisYear ? {} : { year: 'numeric' as const }),
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
  });
}

/** To the millisecond, without the day: `03:54:34.123`. */
export function clockText(instant: string, { zone }: { zone: Zone }): string {
  return new Date(instant).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
  });
}

export function bytesText(bytes: number | null | undefined): string {
  if (!isKnown(bytes) || bytes < 0) return dash;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[power]}`;
}

/** Of 100, not of 1. */
export function percentText(percent: number | null | undefined): string {
  return isKnown(percent)
    ? `${percent > 0 && percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`
    : dash;
}

export function numberText(value: number | null | undefined): string {
  return isKnown(value) ? value.toLocaleString('en-GB') : dash;
}

export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `event_not_subscribed` as people read it. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** `killed_oom` as words. */
export function statusText(status: Task['status'] | Node['status']): string {
  const words: Partial<Record<typeof status, string>> = {
    killed_oom: 'out of memory',
    timed_out: 'timed out',
    never_seen: 'never seen',
  };
  return words[status] ?? status;
}

const causeTexts: Readonly<Record<Verdict['cause'], string>> = {
  success: 'success',
  exit_code: 'exit code',
  signal: 'signal',
  oom_limit: 'memory limit',
  oom_host: 'node out of memory',
  oom_child: 'child out of memory',
  timeout: 'time limit',
  stopped_by_user: 'stopped by a person',
  stopped_by_system: 'stopped by the system',
  start_failed: 'did not start',
  node_lost: 'node lost',
  gpu_fault: 'GPU fault',
  disk_full: 'disk full',
  unknown: 'unknown cause',
};

export function causeText(cause: Verdict['cause']): string {
  return causeTexts[cause];
}

/** Why a task ended, in its verdict's words and then its own; what it runs while it does. */
export function whyText({ status, verdict, command, error_message: message }: Task): string {
  if (status === 'running') return command ?? '';
  const summary = verdict?.summary ?? 'Nothing is known about its end.';
  return message === null || summary.includes(message) ? summary : `${summary} ${message}`;
}

/** `project/job`, as the API takes it; a dash when it has none. */
export function jobText({ job, project }: Pick<Task, 'job' | 'project'>): string {
  if (job === null) return dash;
  return project === null ? job : `${project}/${job}`;
}

/** Controls and marks that turn the direction of writing would let a task's name rewrite its row. */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  );
}

function isKnown(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
