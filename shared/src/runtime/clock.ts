/** Time as a parameter. Liveness and intervals use `monotonicMs`, which no step of the wall clock touches. */
export interface Clock {
  /** Milliseconds since the epoch, by this machine's clock. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never goes back, stands still during suspend. */
  monotonicMs(): number;
  /** Resolves after the time, or at once when the signal aborts; it never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, durationMs);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
