import { readKernelFile } from './kernel-file.ts';

/** Bits of capabilities(7), linux/capability.h. */
export const CAP_SYS_PTRACE = 19;

/** Whether this process may use a capability now (`CapEff` of proc_pid_status(5)); false when that is unread. */
export function hasCapability(root: string, capability: number): boolean {
  return isCapable(readKernelFile(root, '/proc/self/status') ?? '', capability);
}

export function isCapable(status: string, capability: number): boolean {
  const mask = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(capability)) & 1n) === 1n;
}
