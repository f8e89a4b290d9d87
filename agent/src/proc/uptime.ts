import { readKernelFile } from './kernel-file.ts';

/** Seconds since boot, time asleep included (proc_uptime(5)), or null when unread. */
export function readUptimeSeconds(root: string): number | null {
  const text = readKernelFile(root, '/proc/uptime');
  return text === null ? null : parseUptimeSeconds(text);
}

export function parseUptimeSeconds(text: string): number | null {
  const match = /^(\d+\.\d+)\s/.exec(text);
  return match === null ? null : Number(match[1]);
}
