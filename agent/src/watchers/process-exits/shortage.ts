import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Logger } from 'pino';
import { lookAtLimit, openFilesLimit, outOfDescriptors } from '../../proc/descriptors.ts';
import type { ProcessTable } from './table.ts';

type Judged = Omit<SourceState, 'name'>;

/** For want of file descriptors processes are watched without a pidfd each: until there are some again. */
export class Shortage {
  readonly #log: Logger;
  #limitSeen: number | null = null;
  #found: { readonly processes: number; readonly since: string } | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Descriptors run out, and are given back: by processes that end, and by whoever changes the limit. True when it began or is over. */
  notice(table: ProcessTable, nowMs: number): boolean {
    if (table.isShort) lookAtLimit();
    const limit = openFilesLimit();
    if (!table.isShort && limit === this.#limitSeen) return false;
    this.#limitSeen = limit;
    const wasShort = this.#found !== null;
    const processes = table.refit();
    this.#found = processes === 0 ? null : { processes, since: this.#found?.since ?? toInstant(nowMs) };
    if (wasShort === processes > 0) return false;
    if (wasShort) this.#log.info({ limit }, 'there are file descriptors for every process again');
    else this.#log.error({ limit, processes }, 'out of file descriptors: raise LimitNOFILE= of the unit, or ulimit -n');
    return true;
  }

  get isFelt(): boolean {
    return this.#found !== null;
  }

  /** What is seen all the same, and what would cure it. */
  judge(state: Judged, hasEvents: boolean): Judged {
    if (this.#found === null || state.state === 'blind') return state;
    const { processes, since } = this.#found;
    const loss = hasEvents
      ? 'are heard of by kernel process events alone'
      : 'are looked for once a second, and how they ended may stay unknown';
    const short = `${outOfDescriptors()}; the ends of ${processes} processes ${loss}`;
    return {
      state: 'degraded',
      reason: state.reason === null ? short : `${short}; ${state.reason}`,
      since: state.state === 'seeing' ? since : state.since,
    };
  }
}
