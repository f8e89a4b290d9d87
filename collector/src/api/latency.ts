/** How long notifications took from the fact's arrival to their delivery. */
export interface LatencySummary {
  /** Deliveries since the start. */
  readonly count: number;
  /** Of the last thousand deliveries; null before the first. */
  readonly p50_ms: number | null;
  readonly p90_ms: number | null;
  readonly p99_ms: number | null;
  readonly promise_ms: number;
  /** Deliveries since the start that took longer. */
  readonly later_count: number;
}

export interface LatencyRecord {
  observe(latencyMs: number): void;
  summary(): LatencySummary;
  /** Cumulative, for a Prometheus histogram: seconds → deliveries at most that slow. */
  buckets(): { readonly le: number; readonly count: number }[];
  sumSeconds(): number;
}

const bucketBoundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const keptCount = 1000;
/** Within which everybody is to be told. */
const promiseMs = 5000;

/** Keeps counts for ever and the last thousand latencies exactly. */
export function createLatencyRecord(): LatencyRecord {
  const counts = bucketBoundsSeconds.map(() => 0);
  const recent: number[] = [];
  let count = 0;
  let sumMs = 0;
  let laterCount = 0;
  return {
    observe: (latencyMs) => {
      if (!Number.isFinite(latencyMs) || latencyMs < 0) return;
      recent[count % keptCount] = latencyMs;
      count += 1;
      sumMs += latencyMs;
      if (latencyMs > promiseMs) laterCount += 1;
      bucketBoundsSeconds.forEach((bound, index) => {
        if (latencyMs <= bound * 1000) counts[index] = (counts[index] ?? 0) + 1;
      });
    },
    summary: () => {
      const sorted = recent.toSorted((a, b) => a - b);
      const [p50_ms, p90_ms, p99_ms] = [quantile(sorted, 0.5), quantile(sorted, 0.9), quantile(sorted, 0.99)];
      return { count, p50_ms, p90_ms, p99_ms, promise_ms: promiseMs, later_count: laterCount };
    },
    buckets: () => [
      ...bucketBoundsSeconds.map((le, index) => ({ le, count: counts[index] ?? 0 })),
      { le: Infinity, count },
    ],
    sumSeconds: () => sumMs / 1000,
  };
}

/** Nearest rank: the smallest value that at least this share of values does not exceed. */
export function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
