import { readKernelFile } from './kernel-file.ts';

/** `/proc/meminfo` in bytes (proc_meminfo(5)); null where the kernel has no such line. */
export interface MemInfo {
  readonly totalBytes: number | null;
  /** The kernel's own estimate of what a new program could get without swapping, since 3.14. */
  readonly availableBytes: number | null;
  readonly swapTotalBytes: number | null;
  readonly swapFreeBytes: number | null;
}

export function readMemInfo(root: string): MemInfo | null {
  const text = readKernelFile(root, '/proc/meminfo');
  return text === null ? null : parseMemInfo(text);
}

export function parseMemInfo(text: string): MemInfo {
  return {
    totalBytes: lineBytes(text, 'MemTotal'),
    availableBytes: lineBytes(text, 'MemAvailable'),
    swapTotalBytes: lineBytes(text, 'SwapTotal'),
    swapFreeBytes: lineBytes(text, 'SwapFree'),
  };
}

function lineBytes(text: string, name: string): number | null {
  const label = `${name}:`;
  const start = text.startsWith(label) ? 0 : text.indexOf(`\n${label}`) + 1;
  if (start === 0 && !text.startsWith(label)) return null;
  const end = text.indexOf('\n', start);
  const match = /^\s*(\d+) kB\s*$/.exec(text.slice(start + label.length, end === -1 ? text.length : end));
  return match === null ? null : Number(match[1]) * 1024;
}
