import { readFileSync } from 'node:fs';

/** One row of a recorded curve (test/fixtures/curves). */
export interface CurvePoint {
  readonly atMs: number;
  readonly memoryBytes: number;
  readonly reclaimableBytes: number;
  readonly cpuUsec: number;
  readonly diskUsedBytes: number;
}

export function readCurve(name: 'leak' | 'heap' | 'load' | 'cache' | 'hang' | 'writer'): CurvePoint[] {
  const text = readFileSync(new URL(`../fixtures/curves/${name}.csv`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [seconds = 0, memoryBytes = 0, reclaimableBytes = 0, cpuUsec = 0, diskUsedBytes = 0] = line
        .split(',')
        .map(Number);
      return { atMs: seconds * 1000, memoryBytes, reclaimableBytes, cpuUsec, diskUsedBytes };
    });
}
