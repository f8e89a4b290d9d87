import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import { findCgroup2Root } from '../proc/cgroup.ts';
import { readKernelFile } from '../proc/kernel-file.ts';

/** What the kernel counts for tasks and for the node, as far as it was told to (cgroup-v2.rst, psi.rst). */
export function examineKernel(root: string): Finding[] {
  return [examineControllers(root), examinePressure(root)];
}

function examineControllers(root: string): Finding {
  const check = 'cgroups';
  const cgroupRoot = findCgroup2Root(root);
  if (cgroupRoot === null) {
    const fix = 'boot with systemd.unified_cgroup_hierarchy=1';
    return { check, result: 'failed', says: 'no cgroup v2 tree: tasks cannot be told apart', fix };
  }
  const controllers = readKernelFile(cgroupRoot, '/cgroup.controllers')?.trim().split(/\s+/) ?? [];
  const missing = ['cpu', 'memory', 'io', 'pids'].filter((name) => !controllers.includes(name));
  if (missing.length === 0) return { check, result: 'ok', says: `v2 with ${controllers.join(', ')}`, fix: null };
  const says = `v2 without ${missing.join(', ')}: these are not counted for tasks`;
  const fix = missing.includes('memory')
    ? 'boot with cgroup_enable=memory, without version 1 beside it; OOM kills are only proven with it'
    : 'boot without version 1 of them (cgroup_no_v1=all)';
  return { check, result: 'warning', says, fix };
}

function examinePressure(root: string): Finding {
  const check = 'pressure';
  if (readKernelFile(root, '/proc/pressure/memory') !== null)
    return { check, result: 'ok', says: 'PSI is counted', fix: null };
  const says = 'PSI is not counted: stalls are not shown';
  return { check, result: 'warning', says, fix: 'boot with psi=1, on a kernel with CONFIG_PSI' };
}
