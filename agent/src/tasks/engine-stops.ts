import type { EngineStopping } from '../watchers/watcher.ts';
import type { Run } from './run.ts';

/** systemd dates a stop when it has sent the signal for it. */
const slackMs = 50;
/** Bus and journal date one stop a little apart: its order is written down before it is carried out. */
const sameStopMs = 5000;
/** systemd kills what does not stop for longer (DefaultTimeoutStopSec=, systemd-system.conf(5)): the word that it is over went unheard, or came late. */
const longestMs = 120_000;
const kept = 10;

interface Stop {
  readonly unit: string;
  from: number;
  to: number | null;
}

/** When the machine's container engine was being stopped, by every witness of it: bus and journal. */
export class EngineStops {
  #stops: readonly Stop[] = [];

  see({ unit, isStopping, at }: Pick<EngineStopping, 'unit' | 'isStopping' | 'at'>): void {
    if (!isStopping) {
      const open = this.#stops.findLast((stop) => stop.unit === unit && stop.to === null && at >= stop.from);
      if (open !== undefined) open.to = at;
      return;
    }
    const known = this.#stops.find(
      (stop) => stop.unit === unit && isWithin(stop, at, { before: sameStopMs, after: 0 }),
    );
    if (known !== undefined) known.from = Math.min(known.from, at);
    else this.#stops = [...this.#stops, { unit, from: at, to: null }].slice(-kept);
  }

  /** The unit whose stop took this run with it, if it ended then. A user's own engine is no unit of the machine's. */
  behind({ source, socketPath }: Pick<Run, 'source' | 'socketPath'>, endedAt: number): string | null {
    if (source !== 'docker') return null;
    const stop = this.#stops.findLast((one) => isWithin(one, endedAt, { before: slackMs, after: slackMs }));
    return stop !== undefined && (socketPath === null || machineSockets.has(socketPath)) ? stop.unit : null;
  }
}

/** What docker.socket listens on, by both names of its folder. */
const machineSockets: ReadonlySet<string> = new Set(['/run/docker.sock', '/var/run/docker.sock']);

function isWithin({ from, to }: Stop, at: number, slack: { readonly before: number; readonly after: number }): boolean {
  return at >= from - slack.before && at <= Math.min(to ?? Number.POSITIVE_INFINITY, from + longestMs) + slack.after;
}
