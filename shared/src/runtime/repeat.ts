import type { Clock } from './clock.ts';

export interface RepeatOptions {
  readonly clock: Clock;
  /** From the end of one run to the beginning of the next. */
  readonly everyMs: number;
  /** Waits before the first run as well. */
  readonly isFirstLater?: boolean;
}

/** Runs the work over and over until it is disposed of, which waits for a run that is under way. The work must not reject. */
export function repeat(
  work: (stopping: AbortSignal) => unknown,
  { clock, everyMs, isFirstLater = false }: RepeatOptions,
): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    if (isFirstLater) await clock.sleep(everyMs, signal);
    while (!signal.aborted) {
      await work(signal);
      await clock.sleep(everyMs, signal);
    }
  };
  const running = run();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running;
    },
  };
}
