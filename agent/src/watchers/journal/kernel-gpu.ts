import type { GpuFault } from '../watcher.ts';

/**
 * The NVIDIA driver's word about a GPU in trouble (Xid messages, docs.nvidia.com/deploy/xid-errors), in the shapes its
 * versions have had:
 *
 *   NVRM: Xid (PCI:0000:3b:00): 31, pid=79749, name=python3, Ch 0000000a, intr 00000000. MMU Fault: …
 *   NVRM: Xid (PCI:0000:23:00): 79, GPU has fallen off the bus.
 *   NVRM: Xid (PCI:0000:23:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
 *   NVRM: Xid (0000:03:00): 14, Channel 00000001
 *   NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.          the same once more, in place of 79 where that is missing
 *
 * Null for any other line. `cgroup` is the caller's to find.
 */
export function parseGpuFault(message: string, at: number): Omit<GpuFault, 'cgroup'> | null {
  if (!message.includes('NVRM: ')) return null;
  const text = message.slice(message.indexOf('NVRM: ')).trim();
  const [, xidAddress, code, detail] = /^NVRM: Xid \((?:PCI:)?([^)\s]+)\): (\d+)(?:, (.*))?$/s.exec(text) ?? [];
  if (code !== undefined)
    return { ...fault, gpu: shortAddress(xidAddress ?? ''), xid: Number(code), ...processIn(detail ?? ''), text, at };
  const [, lost] = /^NVRM: (?:The NVIDIA )?GPU (?:at )?(?:PCI:)?([\da-f:.]+):?\s.*fallen off the bus/s.exec(text) ?? [];
  return lost === undefined ? null : { ...fault, gpu: shortAddress(lost), xid: fellOffTheBus, text, at };
}

const fellOffTheBus = 79;
const fault = { kind: 'gpu_fault', pid: null, comm: null } as const;

/** A name ends at the next field, which begins with a word and a blank, or is the line's last. */
function processIn(detail: string): { pid: number | null; comm: string | null } {
  const [, pid] = /\bpid=(\d+)/.exec(detail) ?? [];
  const [, comm] = /\bname=([^,]+)/.exec(detail) ?? [];
  const isKnown = comm !== undefined && !comm.includes('<unknown>');
  return { pid: pid === undefined || pid === '0' ? null : Number(pid), comm: isKnown ? comm : null };
}

/** Without the function (`.0`), which one kind of line has and the other has not. */
function shortAddress(address: string): string {
  return address.replace(/:?(?:\.\d)?:?$/, '');
}
