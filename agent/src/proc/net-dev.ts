import { existsSync } from 'node:fs';
import { pathBelow } from './kernel-file.ts';

/** Bytes through one network interface since it appeared (proc_pid_net(5), `/proc/net/dev`). */
export interface InterfaceBytes {
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Null when the text has no table; lines that are no interface are left out. */
export function parseInterfaceBytes(text: string): InterfaceBytes[] | null {
  if (!text.startsWith('Inter-|')) return null;
  const interfaces: InterfaceBytes[] = [];
  for (const line of text.split('\n').slice(2)) {
    // Before 3.x kernels no blank follows the colon when the number is wide, and an alias has a colon of its own.
    const colon = line.lastIndexOf(':');
    if (colon === -1) continue;
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const [receivedBytes, sentBytes] = [numbers[0], numbers[8]];
    if (receivedBytes === undefined || sentBytes === undefined || Number.isNaN(receivedBytes + sentBytes)) continue;
    interfaces.push({ name: line.slice(0, colon).trim(), receivedBytes, sentBytes });
  }
  return interfaces;
}

/** Whether there is hardware (also a virtual machine's) behind an interface, not another interface. */
export function hasDevice(root: string, name: string): boolean {
  return /^[^/]+$/.test(name) && existsSync(pathBelow(root, `/sys/class/net/${name}/device`));
}
