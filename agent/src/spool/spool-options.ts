import type { ReportProblem } from './problem.ts';
import type { RetentionLimits } from './retention.ts';

export const MiB = 1024 * 1024;

export interface SpoolOptions {
  readonly folder: string;
  readonly report: ReportProblem;
  /** Milliseconds since the epoch, by the node's clock. */
  readonly now: () => number;
  /** `spool.max_bytes`; 256 MiB. */
  readonly maxBytes?: number;
  /** `spool.max_age`; 7 days. 0: no limit. */
  readonly maxAgeMs?: number;
  /** Acknowledged records kept for a collector restored from a backup; 64 MiB, 24 h. */
  readonly keepBytes?: number;
  readonly keepMs?: number;
  readonly segmentBytes?: number;
  /** 1 MiB. */
  readonly reserveBytes?: number;
  /** Records that wait in memory while the disk refuses them, per lane; 4 MiB. */
  readonly waitingBytes?: number;
  /** How often it looks after itself; 1 s. 0: only when `tick` is called. */
  readonly tickMs?: number;
  readonly procRoot?: string;
}

export function limitsOf({
  maxBytes = 256 * MiB,
  maxAgeMs = 7 * 86_400_000,
  keepBytes = 64 * MiB,
  keepMs = 86_400_000,
}: SpoolOptions): RetentionLimits {
  return { maxBytes, maxAgeMs: maxAgeMs === 0 ? Number.POSITIVE_INFINITY : maxAgeMs, keepBytes, keepMs };
}
