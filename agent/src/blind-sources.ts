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
  readonly isShort: boolean;
  /** The best of this life of the agent. */
  readonly best: Sight;
  /** By the monotonic clock, since when it sees as much or as little as now. */
  readonly sinceMs: number;
}

type Sight = 'whole' | 'part' | 'none';

/** Sources reconnect by themselves; what lasts longer is news. */
const lostForMs = 30_000;
/** A loss that was over before anybody could look is told all the same, and ends when sight has lasted. */
const seeingForMs = 60_000;

/**
 * SourceBlind: the agent lives, but one of the places it hears ends from has fallen silent, which is critical, or has come
 * to hear less than it did or could, a warning. Fires for what has been lost for a while; what never was there is no loss.
 */
export class BlindSources {
  readonly #options: BlindSourcesOptions;
  readonly #sources = new Map<string, Source>();
  readonly #firing: Map<string, ConditionReport>;

  constructor(options: BlindSourcesOptions) {
    this.#options = options;
    this.#firing = new Map(options.firing.load().map((report) => [report.subject, report]));
  }

  /** A source's state, whenever it may have changed; `isShort`: it could hear more with what the agent is short of. */
  see(state: SourceState, { isShort = false }: { isShort?: boolean } = {}): void {
    const known = this.#sources.get(state.name);
    const sight = sightOf(state);
    const isSameSight = known !== undefined && sightOf(known.state) === sight;
    if (isSameSight && known.isShort === isShort) {
      known.state = state;
      return;
    }
    const { clock } = this.#options;
    // What a state says of its beginning is not when the shortage began.
    const agoMs = isSameSight ? 0 : Math.max(0, clock.wallMs() - Date.parse(state.since));
    const best = known !== undefined && isLess(sight, known.best) ? known.best : sight;
    const source = { state, isShort, best, sinceMs: clock.monotonicMs() - agoMs };
    this.#sources.set(state.name, source);
    this.#judge(source);
  }

  /** Now and then: what lasts becomes news by lasting. */
  tick(): void {
    for (const source of this.#sources.values()) this.#judge(source);
  }

  #judge({ state, isShort, best, sinceMs }: Source): void {
    const lastedMs = this.#options.clock.monotonicMs() - sinceMs;
    const sight = sightOf(state);
    const told = this.#firing.get(state.name)?.severity;
    const isGone = state.state === 'off' && best === 'none';
    const isLoss = isShort || isLess(sight, best);
    const severity = sight === 'none' ? 'critical' : 'warning';
    if (isLoss && told !== severity && lastedMs >= (told === 'critical' ? seeingForMs : lostForMs))
      return this.#tell(state, severity);
    const isBack = !isLoss && sight !== 'none';
    if (told !== undefined && (isGone || (isBack && lastedMs >= seeingForMs))) this.#tell(state, null);
  }

  /** Null: it is over. */
  #tell(source: SourceState, severity: 'critical' | 'warning' | null): void {
    const { tell, firing, clock } = this.#options;
    const { name, since } = source;
    const report: ConditionReport = {
      condition: 'SourceBlind',
      component: 'agent',
      subject: name,
      status: severity === null ? 'false' : 'true',
      severity: severity ?? this.#firing.get(name)?.severity ?? 'critical',
      reason: severity === null ? overBy(source) : `${risks[severity]}: ${source.reason ?? `${name} says nothing`}`,
      value: null,
      threshold: null,
      since: severity === null ? toInstant(clock.wallMs()) : since,
    };
    if (severity === null) this.#firing.delete(name);
    else this.#firing.set(name, report);
    tell(report);
    firing.save([...this.#firing.values()]);
  }
}

const risks = { critical: 'ends may go unseen', warning: 'ends may be seen late or stay unexplained' };

function overBy(source: SourceState): string {
  switch (sightOf(source)) {
    case 'whole':
      return `${source.name} is heard again`;
    case 'part':
      return `${source.name} is heard in part: ${source.reason ?? 'it does not say why'}`;
    case 'none':
      return `${source.name} is not there any more`;
  }
}

const sights: readonly Sight[] = ['none', 'part', 'whole'];

function isLess(sight: Sight, than: Sight): boolean {
  return sights.indexOf(sight) < sights.indexOf(than);
}

function sightOf({ state }: SourceState): Sight {
  return state === 'seeing' ? 'whole' : state === 'degraded' ? 'part' : 'none';
}
