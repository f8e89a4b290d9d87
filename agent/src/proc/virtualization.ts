import { readCpuInfo } from './cpuinfo.ts';
import { readKernelFile } from './kernel-file.ts';

/**
 * What kind of virtual machine this is; null on hardware. As systemd-detect-virt(1) finds it: by what the firmware says
 * (`/sys/class/dmi/id`), by Xen's own folder, and by the clock that only guests have.
 */
export function readVirtualization(root: string): string | null {
  const firmware = ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor']
    .map((file) => readKernelFile(root, `/sys/class/dmi/id/${file}`)?.trim() ?? '')
    .join('\n');
  // Amazon rents whole machines too, under the same name.
  if (/\.metal\b/.test(firmware)) return null;
  const named = makers.find(([mark]) => firmware.includes(mark))?.[1];
  if (named !== undefined) return named;
  if (readKernelFile(root, '/sys/hypervisor/type')?.trim() === 'xen') return 'Xen';
  const clocks = readKernelFile(root, '/sys/devices/system/clocksource/clocksource0/available_clocksource') ?? '';
  const byClock = clockMakers.find(([clock]) => clocks.includes(clock))?.[1];
  return byClock ?? (readCpuInfo(root)?.isVirtual === true ? 'unknown' : null);
}

const makers = [
  ['KVM', 'KVM'],
  ['OpenStack', 'KVM'],
  ['KubeVirt', 'KVM'],
  ['Amazon EC2', 'Amazon'],
  ['Google Compute Engine', 'Google'],
  ['QEMU', 'QEMU'],
  ['VMware', 'VMware'],
  ['VirtualBox', 'VirtualBox'],
  ['innotek', 'VirtualBox'],
  ['Xen', 'Xen'],
  ['Bochs', 'Bochs'],
  ['Parallels', 'Parallels'],
  ['BHYVE', 'bhyve'],
  ['Virtual Machine', 'Hyper-V'],
  ['Apple Virtualization', 'Apple'],
] as const;

const clockMakers = [
  ['kvm-clock', 'KVM'],
  ['hyperv_clocksource', 'Hyper-V'],
  ['xen', 'Xen'],
] as const;
