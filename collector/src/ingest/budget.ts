export interface BudgetLimits {
  /** Earned a second, and at most saved up. One frame costs 1, and 1 more for every 16 KiB of it. */
  readonly perSecond: number;
  readonly savedMax: number;
}

const bytesPerUnit = 16 * 1024;

/**
 * What one agent may send. An agent of ours stays far below: its batches wait for acks, its readings come once a second. Whoever
 * spends more goes into debt, and is read again when that is paid. Times are monotonic milliseconds.
 */
export class Budget {
  readonly #limits: BudgetLimits;
  #saved: number;
  #countedAtMs: number;
  #inDebtSinceMs: number | null = null;

  constructor(limits: BudgetLimits, nowMs: number) {
    this.#limits = limits;
    this.#saved = limits.savedMax;
    this.#countedAtMs = nowMs;
  }

  /** @returns for how long nothing more should be read; 0 when there is no debt. */
  spend(bytes: number, nowMs: number): number {
    const { perSecond, savedMax } = this.#limits;
    const earned = ((nowMs - this.#countedAtMs) / 1000) * perSecond;
    this.#saved = Math.min(savedMax, this.#saved + earned) - 1 - bytes / bytesPerUnit;
    this.#countedAtMs = nowMs;
    if (this.#saved >= savedMax / 2) this.#inDebtSinceMs = null;
    if (this.#saved >= 0) return 0;
    this.#inDebtSinceMs ??= nowMs;
    return (-this.#saved / perSecond) * 1000;
  }

  /** Since when it has gone into debt again and again; null after it had saved half of what it may. */
  get inDebtSinceMs(): number | null {
    return this.#inDebtSinceMs;
  }
}
