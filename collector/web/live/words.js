/* Values as people read them. Unknown is a dash, never 0. */

export const dash = '–';
const known = (value) => typeof value === 'number' && Number.isFinite(value);

export function durationText(ms) {
  if (!known(ms) || ms < 0) return dash;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} m`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function agoText(instant, now) {
  const at = Date.parse(instant ?? '');
  if (Number.isNaN(at)) return dash;
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  if (seconds < 3) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export function bytesText(bytes) {
  if (!known(bytes) || bytes < 0) return dash;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

export function percentText(percent) {
  return known(percent) ? `${Math.round(percent)} %` : dash;
}

export function countText(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `killed_oom` as words. */
export function statusText(status) {
  return { killed_oom: 'out of memory', timed_out: 'timed out', never_seen: 'never seen' }[status] ?? status;
}
