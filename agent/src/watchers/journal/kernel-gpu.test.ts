import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGpuFault } from './kernel-gpu.ts';

describe("the NVIDIA driver's word about a GPU in trouble", () => {
  it.each([
    [
      'with the process it befell',
      'NVRM: Xid (PCI:0000:3b:00): 31, pid=79749, name=python3, Ch 0000000a, intr 00000000. MMU Fault: ENGINE GRAPHICS faulted @ 0x2b57_b3000000',
      { gpu: '0000:3b:00', xid: 31, pid: 79_749, comm: 'python3' },
    ],
    [
      'with a process whose name has a blank',
      'NVRM: Xid (PCI:0000:0f:00): 13, pid=1896, name=pt main thread, Graphics SM Warp Exception on (GPC 0, TPC 0, SM 0)',
      { gpu: '0000:0f:00', xid: 13, pid: 1896, comm: 'pt main thread' },
    ],
    [
      'without a process',
      'NVRM: Xid (PCI:0000:23:00): 79, GPU has fallen off the bus.',
      { gpu: '0000:23:00', xid: 79, pid: null, comm: null },
    ],
    [
      'with a process it did not know',
      "NVRM: Xid (PCI:0000:23:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
      { gpu: '0000:23:00', xid: 79, pid: null, comm: null },
    ],
    [
      'of an old driver, with a pid and no name',
      'NVRM: Xid (PCI:0000:01:00): 79, pid=1122, GPU has fallen off the bus.',
      { gpu: '0000:01:00', xid: 79, pid: 1122, comm: null },
    ],
    [
      'of a still older one',
      'NVRM: Xid (0000:03:00): 14, Channel 00000001',
      { gpu: '0000:03:00', xid: 14, pid: null, comm: null },
    ],
    [
      'of a row taken out of use',
      'NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for remapping, reset gpu to activate.',
      { gpu: '0000:10:1c', xid: 63, pid: 1896, comm: null },
    ],
    [
      'on a lost GPU, without a number',
      'NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.',
      { gpu: '0000:01:00', xid: 79, pid: null, comm: null },
    ],
    [
      'on a lost GPU, over several lines',
      'NVRM: The NVIDIA GPU 0000:b3:00.0\n               NVRM: (PCI ID: 10de:26b5) installed in this system has\n               NVRM: fallen off the bus and is not responding to commands.',
      { gpu: '0000:b3:00', xid: 79, pid: null, comm: null },
    ],
    [
      'behind a time stamp',
      '[  391.9] NVRM: Xid (PCI:0000:65:00): 48, pid=7, name=a',
      { gpu: '0000:65:00', xid: 48, pid: 7, comm: 'a' },
    ],
  ])('is understood %s', (_, line, expected) => {
    expect(parseGpuFault(line, 5)).toMatchObject({ kind: 'gpu_fault', at: 5, ...expected });
  });

  it.each([
    'NVRM: GPU at PCI:0000:01:00: GPU-6861a36a-dcba-bf17-4cd5-d395100bded5',
    'NVRM: GPU Board Serial Number: 0',
    'NVRM: krcRcAndNotifyAllChannels_IMPL: RC all channels for critical error 79.',
    'NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.158.01',
    'python3: Xid 79 was here',
  ])('is not in %j', (line) => {
    expect(parseGpuFault(line, 5)).toBeNull();
  });

  it('never throws, whatever stands there', () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        expect(() => parseGpuFault(`NVRM: Xid (${rest}`, 0)).not.toThrow();
        expect(() => parseGpuFault(`NVRM: GPU ${rest} fallen off the bus`, 0)).not.toThrow();
      }),
    );
  });
});
