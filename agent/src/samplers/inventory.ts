import { execFile } from 'node:child_process';
import { arch, release } from 'node:os';
import { promisify } from 'node:util';
import type { Inventory } from '@runnerwatch/shared/model/node.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import type { Logger } from 'pino';
import { readCpuInfo } from '../proc/cpuinfo.ts';
import { readMemInfo } from '../proc/meminfo.ts';
import { readDistribution } from '../proc/os-release.ts';
import { readCpuTimes } from '../proc/stat.ts';
import { readVirtualization } from '../proc/virtualization.ts';

export interface InventoryOptions {
  /** {@link readInventory} by default. */
  readonly read?: () => Promise<Inventory>;
  /** Called with the first inventory and with every one that differs from the last. */
  readonly onChange: (inventory: Inventory) => void;
  readonly log: Logger;
}

export interface InventoryKeeper {
  /** Reads once; resolves when that is done, also when it failed (which is logged). */
  refresh(): Promise<void>;
  /** Reads again when a sample contradicts it: CPUs or memory came or went. */
  observe(sample: NodeSample): void;
  current(): Inventory | null;
}

const LSCPU_MS = 5_000;

/** Memory that the kernel itself takes or gives back (crash kernel, balloon) is no new machine below this share. */
const MEMORY_CHANGE_SHARE = 0.01;

/** What changes rarely: read at the start and when a sample shows that it changed. */
export function createInventoryKeeper({ read = readInventory, onChange, log }: InventoryOptions): InventoryKeeper {
  let current: Inventory | null = null;
  let contradicted: string | null = null;
  let reading: Promise<void> | null = null;

  async function readOnce(): Promise<void> {
    try {
      const found = await read();
      if (JSON.stringify(found) === JSON.stringify(current)) return;
      current = found;
      onChange(found);
    } catch (error) {
      log.warn({ err: error }, 'the inventory could not be read; the node is described without it');
    } finally {
      reading = null;
    }
  }

  function refresh(): Promise<void> {
    reading ??= readOnce();
    return reading;
  }

  return {
    refresh,
    observe(sample) {
      if (current === null || !contradicts(sample, current)) return;
      // A reading that goes on contradicting (a container's own limits) is asked about once, not every second.
      const what = `${sample.cpu_count} ${sample.memory_total_bytes}`;
      if (what === contradicted) return;
      contradicted = what;
      refresh().catch((error: unknown) => log.error({ err: error }, 'handing on the inventory failed'));
    },
    current: () => current,
  };
}

function contradicts(sample: NodeSample, inventory: Inventory): boolean {
  const { cpu_count: cpus, memory_total_bytes: memoryBytes } = sample;
  if (cpus !== null && inventory.cpu_count !== null && cpus !== inventory.cpu_count) return true;
  if (memoryBytes === null || inventory.memory_total_bytes === null) return false;
  return Math.abs(memoryBytes - inventory.memory_total_bytes) > inventory.memory_total_bytes * MEMORY_CHANGE_SHARE;
}

/** From what the kernel says; where there is no `/proc`, by systeminformation, which is loaded only then: it keeps 3 MiB. */
export async function readInventory(root = '/'): Promise<Inventory> {
  const cpu = readCpuInfo(root);
  if (cpu === null) return readPortableInventory();
  return {
    os: readDistribution(root),
    kernel: release(),
    architecture: arch(),
    cpu_model: cpu.model ?? (await askLscpu()),
    cpu_count: readCpuTimes(root)?.cpuCount ?? null,
    memory_total_bytes: readMemInfo(root)?.totalBytes ?? null,
    virtualization: readVirtualization(root),
  };
}

/** lscpu(1) knows the names behind arm64's numbers; null where it is not installed, or does not know. */
async function askLscpu(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('env', ['LC_ALL=C', 'lscpu'], { timeout: LSCPU_MS });
    return textOrNull(/^Model name:\s*(\S.*)$/m.exec(stdout)?.[1] ?? '');
  } catch {
    return null;
  }
}

async function readPortableInventory(): Promise<Inventory> {
  const { default: si } = await import('systeminformation');
  const [os, cpu, memory, system] = await Promise.all([si.osInfo(), si.cpu(), si.mem(), si.system()]);
  return {
    os: textOrNull([os.distro, os.release].filter((part) => textOrNull(part) !== null).join(' ')),
    kernel: textOrNull(os.kernel),
    architecture: textOrNull(os.arch),
    cpu_model: textOrNull([cpu.manufacturer, cpu.brand].filter((part) => textOrNull(part) !== null).join(' ')),
    cpu_count: cpu.cores > 0 ? cpu.cores : null,
    memory_total_bytes: memory.total > 0 ? memory.total : null,
    virtualization: system.virtual ? (textOrNull(system.virtualHost ?? '') ?? 'unknown') : null,
  };
}

/** The library says "unknown" and '' for what it did not find. */
function textOrNull(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === '' || trimmed.toLowerCase() === 'unknown' ? null : trimmed;
}
