/** One thing that `runnerwatch doctor` looked at. */
export interface Finding {
  /** What was looked at, in a word or two: `journal`, `data folder`. */
  readonly check: string;
  /** `skipped`: not there on this machine, and not missed. */
  readonly result: 'ok' | 'warning' | 'failed' | 'skipped';
  /** One sentence: what was found, where. */
  readonly says: string;
  /** What to do about it; null when there is nothing to do. */
  readonly fix: string | null;
}
