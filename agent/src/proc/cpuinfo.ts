import { readKernelFile } from './kernel-file.ts';

/** What `/proc/cpuinfo` says of the first processor (proc_cpuinfo(5)). */
export interface CpuInfo {
  /** `AMD EPYC 7B13 64-Core Processor`, as the maker writes it; null on architectures that only tell numbers (arm64). */
  readonly model: string | null;
  /** The processor knows that it is a virtual one (x86 only). */
  readonly isVirtual: boolean;
}

export function readCpuInfo(root: string): CpuInfo | null {
  const text = readKernelFile(root, '/proc/cpuinfo');
  return text === null ? null : parseCpuInfo(text);
}

export function parseCpuInfo(text: string): CpuInfo {
  const model = /^(?:model name|cpu model|cpu|uarch)\s*:\s*(\S.*)$/m.exec(text)?.[1] ?? null;
  return {
    model:
      model
        ?.replaceAll(/\((?:R|TM|C)\)/gi, '')
        .replaceAll(/\s+/g, ' ')
        .trim() ?? null,
    isVirtual: /^flags\s*:.*\bhypervisor\b/m.test(text),
  };
}
