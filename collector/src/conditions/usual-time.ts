/** How long the runs of a job take that end well. */
export interface UsualTime {
  readonly runs: number;
  readonly medianMs: number;
}

/** Fewer runs say nothing of what is usual. */
export const leastRuns = 5;

export function isKnown(usual: UsualTime | null): usual is UsualTime {
  return usual !== null && usual.runs >= leastRuns && usual.medianMs > 0;
}
