import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';

export interface BlindSourcesOptions {
  readonly tell: (report: ConditionReport) => void;
  /** What fires, kept over restarts. */
  readonly firing: { load(): readonly ConditionReport[]; save(firing: readonly ConditionReport[]): void };
  readonly clock: Clock;
}

interface Source {
  state: SourceState;
  /** In this life of the agent. */
  readonly hasSeen: boolean;
  /** By the monotonic clock, since when it sees or does not. */
  readonly sinceMs: number;
}

/** Sources reconnect by themselves; what lasts longer is news. */
const blindForMs = 30_000;
/** Blindness that was over before anybody could look is told all the same, and ends when sight has lasted. */
const seeingForMs = 60_000;

/**
 * SourceBlind: the agent lives, but one of the places it hears ends from has fallen silent. Fires for a source that saw and
 * has not for a while; one that was never there is no loss.
 */
export class BlindSources {
  readonly #options: BlindSourcesOptions;
  readonly #sources = new Map<string, Source>();
  readonly #firing: Map<string, ConditionReport>;

  constructor(options: BlindSourcesOptions) {
    this.#options = options;
    this.#firing = new Map(options.firing.load().map((report) => [report.subject, report]));
  }

  /** A source's state, whenever it may have changed. */
  see(state: SourceState): void {
    const known = this.#sources.get(state.name);
    if (known !== undefined && isSighted(known.state) === isSighted(state)) {
      known.state = state;
      return;
    }
    const { clock } = this.#options;
    const agoMs = Math.max(0, clock.wallMs() - Date.parse(state.since));
    const hasSeen = known?.hasSeen === true || isSighted(state);
    const source = { state, hasSeen, sinceMs: clock.monotonicMs() - agoMs };
    this.#sources.set(state.name, source);
    this.#judge(source);
  }

  /** Now and then: what lasts becomes news by lasting. */
  tick(): void {
    for (const source of this.#sources.values()) this.#judge(source);
  }

  #judge({ state, hasSeen, sinceMs }: Source): void {
    const lastedMs = this.#options.clock.monotonicMs() - sinceMs;
    const isFiring = this.#firing.has(state.name);
    const isGone = state.state === 'off' && !hasSeen;
    if (isFiring && (isGone || (isSighted(state) && lastedMs >= seeingForMs))) return this.#tell(state, 'false');
    if (!isFiring && hasSeen && !isSighted(state) && lastedMs >= blindForMs) this.#tell(state, 'true');
  }

  #tell(source: SourceState, status: 'true' | 'false'): void {
    const { tell, firing, clock } = this.#options;
    const report: ConditionReport = {
      condition: 'SourceBlind',
      component: 'agent',
      subject: source.name,
      status,
      severity: 'critical',
      reason:
        status === 'true'
          ? `ends may go unseen: ${source.reason ?? `${source.name} says nothing`}`
          : `${source.name} is ${isSighted(source) ? 'heard again' : 'not there any more'}`,
      value: null,
      threshold: null,
      since: status === 'true' ? source.since : toInstant(clock.wallMs()),
    };
    if (status === 'true') this.#firing.set(source.name, report);
    else this.#firing.delete(source.name);
    tell(report);
    firing.save([...this.#firing.values()]);
  }
}

function isSighted({ state }: SourceState): boolean {
  return state === 'seeing' || state === 'degraded';
}
