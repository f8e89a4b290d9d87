import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { Logger } from 'pino';
import type { Judgments } from './judgments.ts';
import type { WarningSettings } from './settings.ts';
import { measureFailedUnit } from './unit-failed.ts';

export interface UnitWatchOptions {
  readonly settings: WarningSettings['unitFailed'];
  readonly judgments: Judgments;
  /** Every unit in the state failed; null when systemd cannot be asked now. */
  readonly askFailed: () => Promise<readonly string[] | null>;
  readonly log: Logger;
}

const everyMs = 15_000;
/** A node on which more units than this have failed has said enough. */
const unitsMax = 100;

/** Asks systemd for its failed units now and then: a state that lasts, and which no lost signal can hide. */
export class UnitWatch {
  readonly #options: UnitWatchOptions;
  #dueMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #answer: { readonly failed: readonly string[] | null } | null = null;

  constructor(options: UnitWatchOptions) {
    this.#options = options;
  }

  take(now: Now): void {
    if (this.#answer !== null) this.#judge(this.#answer.failed, now);
    this.#answer = null;
    if (this.#isAsking || now.monotonicMs < this.#dueMs) return;
    this.#dueMs = now.monotonicMs + everyMs;
    this.#ask();
  }

  #ask(): void {
    const { askFailed, log } = this.#options;
    this.#isAsking = true;
    askFailed()
      .then((failed) => {
        this.#answer = { failed };
      })
      .catch((error: unknown) => {
        log.debug({ err: error }, 'systemd did not say which units have failed; it is asked again');
        this.#answer = { failed: null };
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  #judge(failed: readonly string[] | null, now: Now): void {
    const { settings, judgments } = this.#options;
    const known = judgments.firing().flatMap(({ condition, subject }) => (condition === 'UnitFailed' ? [subject] : []));
    const watched = (failed ?? []).filter((unit) => settings.isTask(unit) || settings.isWatched(unit));
    for (const unit of new Set([...known, ...watched.toSorted().slice(0, unitsMax)])) {
      const isTask = settings.isTask(unit) && !settings.isWatched(unit);
      const measurement = measureFailedUnit({ unit, isFailed: failed?.includes(unit) ?? null, isTask });
      judgments.take({ condition: 'UnitFailed', measurement }, now);
    }
  }
}
