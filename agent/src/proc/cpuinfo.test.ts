import { expect, it } from 'vitest';
import { parseCpuInfo, readCpuInfo } from './cpuinfo.ts';

it('reads the maker’s name of the first processor, without its marks', () => {
  const text = `processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 85
model name\t: Intel(R) Xeon(R) Gold 6230  CPU @ 2.10GHz\nflags\t\t: fpu vme nx\n\nprocessor\t: 1\nmodel name\t: other\n`;

  expect(parseCpuInfo(text)).toEqual({ model: 'Intel Xeon Gold 6230 CPU @ 2.10GHz', isVirtual: false });
});

it('tells a virtual processor, and has no name where the kernel gives only numbers', () => {
  expect(parseCpuInfo('model name\t: AMD EPYC\nflags\t\t: fpu hypervisor lahf_lm\n').isVirtual).toBe(true);
  expect(parseCpuInfo('processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n')).toEqual({
    model: null,
    isVirtual: false,
  });
});

it('F044 has nothing without the file', () => {
  expect(readCpuInfo('/nowhere')).toBeNull();
});
