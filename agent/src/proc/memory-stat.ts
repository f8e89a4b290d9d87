import { isInside, parseFlatKeyed } from './cgroup.ts';
import { readKernelFile } from './kernel-file.ts';

/**
 * Memory of a cgroup that the kernel takes back before it kills, by `memory.stat` (cgroup-v2.rst): page cache, without what
 * tmpfs and shared memory keep, which `file` counts too, and reclaimable slab. Null: not readable.
 */
export function readReclaimableBytes(cgroupRoot: string, cgroupPath: string): number | null {
  if (!isInside(cgroupPath)) return null;
  const text = readKernelFile(cgroupRoot, `${cgroupPath === '/' ? '' : cgroupPath}/memory.stat`);
  const fileBytes = parseFlatKeyed(text, 'file');
  if (fileBytes === null) return null;
  const sharedBytes = parseFlatKeyed(text, 'shmem') ?? 0;
  return Math.max(0, fileBytes - sharedBytes) + (parseFlatKeyed(text, 'slab_reclaimable') ?? 0);
}
