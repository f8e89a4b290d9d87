import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { readUptimeSeconds } from '../../proc/uptime.ts';

/** From when to when, in milliseconds since the epoch. */
export interface Standstill {
  readonly from: number;
  readonly to: number;
}

/** Longer than this between two beats of a second: the agent was stopped or starved, or its machine slept. */
const STANDSTILL_MS = 3000;
const KEPT = 100;
/** Clocks are read a little apart, and an end is noticed a moment after it. */
export const MARGIN_MS = 500;

/** When the agent could not look. Counted in time since boot, which goes on while the machine sleeps and which nobody steps. */
export class Standstills {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #kept: Standstill[] = [];
  #beatAtMs: number | null = null;

  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  /** Once a second. @returns the standstill that is just over. */
  beat(): Standstill | null {
    const uptimeMs = (readUptimeSeconds(this.#root) ?? this.#clock.monotonicMs() / 1000) * 1000;
    const lastedMs = this.#beatAtMs === null ? 0 : uptimeMs - this.#beatAtMs;
    this.#beatAtMs = uptimeMs;
    if (lastedMs < STANDSTILL_MS) return null;
    const to = this.#clock.wallMs();
    const standstill = { from: to - lastedMs, to };
    this.#kept.push(standstill);
    if (this.#kept.length > KEPT) this.#kept.shift();
    return standstill;
  }

  around(at: number): Standstill | undefined {
    return this.#kept.find(({ from, to }) => at >= from - MARGIN_MS && at <= to + MARGIN_MS);
  }
}
