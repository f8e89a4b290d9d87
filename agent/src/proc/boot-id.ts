import { readKernelFile } from './kernel-file.ts';

/** The random id of this boot (random(4), `/proc/sys/kernel/random/boot_id`) in lower case with dashes, or null when unread. */
export function readBootId(root: string): string | null {
  const text = readKernelFile(root, '/proc/sys/kernel/random/boot_id');
  return text === null ? null : parseBootId(text);
}

export function parseBootId(text: string): string | null {
  const id = text.trim().toLowerCase();
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : null;
}
