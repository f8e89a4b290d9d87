import { useNowMs } from '../../parts/time.tsx';

const redrawsPerRange = 900;

/** The stretch of time that charts and tasks share, in milliseconds since the epoch. */
export interface Shown {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Until now; it moves on by a step at a time that one can see. */
export function useShown(rangeMs: number): Shown {
  const stepMs = Math.max(1000, rangeMs / redrawsPerRange);
  const toMs = Math.ceil(useNowMs() / stepMs) * stepMs;
  return { fromMs: toMs - rangeMs, toMs };
}
