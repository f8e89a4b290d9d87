/** What the early warnings go by. Null: not judged. */
export interface WarningSettings {
  readonly memoryExhaustion: PredictionSettings | null;
  readonly diskFull: PredictionSettings | null;
  readonly stalled: {
    /** How long without any sign of life. */
    readonly forMs: number;
    /** Globs of task and unit names; null: work that is meant to end (scopes, `run`, whatever a scheduler started). */
    readonly include: readonly string[] | null;
  } | null;
  readonly overrun: {
    /** Percent of a task's own time limit. */
    readonly threshold: number;
  } | null;
  readonly unitFailed: {
    /** Units that are told of as tasks: that one failed was told already, its state is information. */
    readonly isTask: (unit: string) => boolean;
    /** Other units: nobody else tells of them. */
    readonly isWatched: (unit: string) => boolean;
  };
}

export interface PredictionSettings {
  /** Fires when less time than this is left, */
  readonly withinMs: number;
  /** and ends when more than this is left. */
  readonly clearMs: number;
  /** How long it must stay so before it fires. */
  readonly forMs: number;
}
