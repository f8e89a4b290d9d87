import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import { readVirtualization } from './virtualization.ts';

/** A machine with these files below `/`. */
function machine(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolderSync();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return root;
}

const clocks = 'sys/devices/system/clocksource/clocksource0/available_clocksource';

it.each([
  ['KVM', { 'sys/class/dmi/id/product_name': 'KVM', 'sys/class/dmi/id/sys_vendor': 'Red Hat' }],
  ['QEMU', { 'sys/class/dmi/id/product_name': 'Standard PC', 'sys/class/dmi/id/sys_vendor': 'QEMU' }],
  ['Hyper-V', { 'sys/class/dmi/id/product_name': 'Virtual Machine' }],
  ['VMware', { 'sys/class/dmi/id/sys_vendor': 'VMware, Inc.' }],
  ['Amazon', { 'sys/class/dmi/id/product_name': 'm5.large', 'sys/class/dmi/id/sys_vendor': 'Amazon EC2' }],
  ['Xen', { 'sys/hypervisor/type': 'xen' }],
  ['KVM', { [clocks]: 'kvm-clock tsc acpi_pm' }],
  ['unknown', { 'proc/cpuinfo': 'flags\t: fpu hypervisor' }],
])('is %s, as the machine says', (kind, files) => {
  expect(readVirtualization(machine(files))).toBe(kind);
});

it.each([
  [
    'a server',
    { 'sys/class/dmi/id/product_name': 'PowerEdge R740', [clocks]: 'tsc hpet', 'proc/cpuinfo': 'flags\t: fpu' },
  ],
  [
    'a whole rented machine',
    { 'sys/class/dmi/id/product_name': 'm5.metal', 'sys/class/dmi/id/sys_vendor': 'Amazon EC2' },
  ],
  ['a machine that says nothing', {}],
])('is none on %s', (_, files) => {
  expect(readVirtualization(machine(files))).toBeNull();
});
