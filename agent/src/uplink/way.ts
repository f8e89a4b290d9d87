import type { LookupFunction } from 'node:net';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { narrowWayCure, probeWay, type Width } from './probe-way.ts';

export interface WayTimings {
  /** For the answer to a request that asks whether large packets get through. */
  readonly probeTimeoutMs: number;
  /** From narrow to the first try whether it is wide again; the pause doubles up to the cap. */
  readonly tryWideBaseMs: number;
  readonly tryWideCapMs: number;
}

export interface WayOptions {
  readonly ca: string | undefined;
  readonly lookup: LookupFunction | undefined;
  readonly timings: WayTimings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * What is known of the way to the collector over all sessions. It is narrow when small packets get through and large ones vanish
 * without a word: somewhere the MTU is lower than at the ends, and the ICMP message that would say so is filtered. TCP then sends
 * the same large packet for ever.
 */
export class Way {
  readonly #options: WayOptions;
  #isNarrow = false;
  #widening: Promise<void> | undefined;

  constructor(options: WayOptions) {
    this.#options = options;
  }

  get isNarrow(): boolean {
    return this.#isNarrow;
  }

  /** Finds out, and remembers it when it is narrow. */
  async probe(url: URL): Promise<Width> {
    const width = await this.#ask(url);
    if (width !== 'narrow' || this.#isNarrow || this.#options.signal.aborted) return width;
    this.#isNarrow = true;
    this.#options.log.warn(
      { url: url.href },
      `large packets are lost on the way to the collector, small ones arrive: probably a lower MTU in between, and a firewall that drops the ICMP message about it. All is sent in small pieces, slowly, until that is cured: ${narrowWayCure}`,
    );
    this.#widening = this.#untilWide(url);
    return width;
  }

  /** Resolves after the signal, when nothing is asked any more. */
  async settled(): Promise<void> {
    await this.#widening;
  }

  async #untilWide(url: URL): Promise<void> {
    const { clock, timings, signal, log } = this.#options;
    for (let pauseMs = timings.tryWideBaseMs; ; pauseMs = Math.min(2 * pauseMs, timings.tryWideCapMs)) {
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return;
      if ((await this.#ask(url)) !== 'wide') continue;
      this.#isNarrow = false;
      log.info({ url: url.href }, 'large packets reach the collector again; nothing is cut into pieces any more');
      return;
    }
  }

  #ask(url: URL): Promise<Width> {
    const { ca, lookup, clock, signal, timings } = this.#options;
    return probeWay({ url, ca, lookup, clock, signal, timeoutMs: timings.probeTimeoutMs });
  }
}
