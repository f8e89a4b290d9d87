import type { Paint } from './terminal.ts';

/* Values as people read them. Unknown is a dash, never 0. */

export const unknownText = '–';

/** `850ms`, `12.3s`, `4m 05s`, `2h 07m`, `3d 4h`. */
export function durationText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms) || ms < 0) return unknownText;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad2(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${pad2(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3600)}h`;
}

/** How long before `now`: `just now`, `12s ago`, `4m ago`, `2h ago`, `3d ago`. */
export function agoText(instant: string | null | undefined, now: number): string {
  const at = instant === null || instant === undefined ? Number.NaN : Date.parse(instant);
  if (Number.isNaN(at)) return unknownText;
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < -5) return 'in the future';
  if (seconds < 3) return 'just now';
  if (seconds < 60) return `${seconds}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ago`;
  return `${Math.floor(seconds / 86_400)}d ago`;
}

/** `512 B`, `3.4 MiB`, `16 GiB`. */
export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes) || bytes < 0) return unknownText;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

export function percentText(percent: number | null | undefined): string {
  return percent === null || percent === undefined || !Number.isFinite(percent)
    ? unknownText
    : `${Math.round(percent)}%`;
}

export function numberText(value: number | null | undefined): string {
  return value === null || value === undefined ? unknownText : String(value);
}

/** `1 node`, `3 nodes`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The colour of a status of a task, node or incident. */
export function statusPaint(status: string): Paint {
  return paints[status] ?? 'yellow';
}

const paints: Readonly<Record<string, Paint>> = {
  running: 'blue',
  completed: 'green',
  failed: 'red',
  killed: 'magenta',
  killed_oom: 'red',
  timed_out: 'yellow',
  lost: 'red',
  unknown: 'yellow',
  online: 'green',
  offline: 'red',
  draining: 'yellow',
  stopped: 'dim',
  never_seen: 'dim',
  open: 'red',
  resolved: 'green',
  firing: 'red',
  delivered: 'green',
  pending: 'yellow',
  dead: 'red',
  critical: 'red',
  warning: 'yellow',
  info: 'blue',
};

function pad2(value: number): string {
  return String(value).padStart(2, '0');
}
