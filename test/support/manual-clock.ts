import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';

/** A clock that moves only when told. `advance` wakes the sleepers whose time has come, in order. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** How many wait for time to pass. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper = { at: this.#monotonicMs + durationMs, wake: () => {} };
      sleeper.wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', sleeper.wake);
        resolve();
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Moves both clocks and lets everything woken run before it returns. */
  async advance(ms: number): Promise<void> {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
    const due = [...this.#sleepers].filter((sleeper) => sleeper.at <= this.#monotonicMs).sort((a, b) => a.at - b.at);
    for (const sleeper of due) sleeper.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Steps the wall clock alone, as an administrator or NTP would. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }
}
