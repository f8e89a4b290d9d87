import type { Severity } from '@runnerwatch/shared/model/condition.ts';

/** What an Xid number says (NVIDIA, "Analyzing Xid Errors with the Xid Catalog"). */
export interface Xid {
  readonly name: string;
  /** Where it points first. `notice`: told beside another fault, or of no consequence for who runs. */
  readonly blame: 'hardware' | 'driver' | 'application' | 'unclassified' | 'notice';
}

export function xidOf(code: number): Xid {
  return catalogue.get(code) ?? { name: 'a fault that is not in the catalogue', blame: 'unclassified' };
}

/** NVIDIA's own advice is what counts: a GPU that wants a reset is critical, a program that wants a restart a warning. */
export function severityOfXid(code: number): Severity {
  const { blame } = xidOf(code);
  if (blame === 'notice') return 'info';
  return (blame === 'hardware' || blame === 'driver') && !contained.has(code) ? 'critical' : 'warning';
}

/** A fault in memory whose reach the GPU has limited to the program that used it. */
const contained: ReadonlySet<number> = new Set([94]);

const catalogue: ReadonlyMap<number, Xid> = new Map([
  ...named('hardware', {
    48: 'double-bit ECC error',
    54: 'auxiliary power is not connected',
    64: 'memory could not be remapped',
    74: 'NVLink error',
    79: 'GPU has fallen off the bus',
    94: 'contained memory error',
    95: 'uncontained memory error',
    136: 'link training failed',
    140: 'unrecovered ECC error',
    143: 'GPU could not be initialized',
    144: 'NVLink error',
    145: 'NVLink error',
    146: 'NVLink error',
    147: 'NVLink error',
    148: 'NVLink error',
    149: 'NVLink error',
    150: 'NVLink error',
    156: 'memory was taken out of use',
    167: 'fatal PCIe timeout',
    171: 'uncorrectable error in DRAM',
    172: 'uncorrectable error in SRAM',
  }),
  ...named('driver', {
    46: 'GPU stopped processing',
    62: 'internal micro-controller halt',
    109: 'context switch timeout',
    110: 'security fault',
    119: 'GSP does not answer',
    120: 'GSP error',
    151: 'key rotation error',
    155: 'NVLink error defined by software',
    158: 'fatal GPU timeout',
    169: 'internal micro-controller halt',
  }),
  ...named('application', {
    8: 'GPU stopped processing',
    11: 'invalid or corrupted push buffer',
    13: 'graphics engine exception',
    25: 'invalid or illegal push buffer',
    31: 'GPU memory page fault',
    32: 'invalid or corrupted push buffer',
    39: 'copy engine exception',
    40: 'copy engine exception',
    41: 'copy engine exception',
    43: 'GPU stopped processing for this program',
    60: 'video processor exception',
    68: 'video decoder exception',
    69: 'graphics engine class error',
    80: 'corrupted data sent to the GPU',
  }),
  ...named('notice', {
    14: 'unused',
    37: 'driver firmware error',
    38: 'driver firmware error',
    44: 'graphics engine fault during a context switch',
    45: 'preemptive cleanup after an earlier fault, or after a kill',
    63: 'memory was remapped',
    66: 'illegal access by the driver',
    67: 'illegal access by the driver',
    92: 'many single-bit ECC errors',
    93: 'InfoROM wears out',
    106: 'test message',
    107: 'test message',
    121: 'C2C error',
    137: 'NVLink privilege error',
    141: 'CUDA fast path error',
    154: 'recovery action changed',
    157: 'memory could not be taken out of use',
    160: 'channel was taken out of use',
    161: 'channel could not be taken out of use',
    162: 'power smoothing engaged again',
    163: 'power smoothing disengaged',
  }),
]);

function named(blame: Xid['blame'], names: Readonly<Record<number, string>>): [number, Xid][] {
  return Object.entries(names).map(([code, name]) => [Number(code), { name, blame }]);
}
