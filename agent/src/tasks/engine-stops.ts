import { isSameSocket } from '../watchers/containers-sockets.ts';
import type { EngineStopping } from '../watchers/watcher.ts';
import type { Run } from './run.ts';

/** A job is dated when it is heard of; an end may be heard first. */
const slackMs = 1000;
/** systemd kills what does not stop for longer (DefaultTimeoutStopSec=, systemd-system.conf(5)): the word that it is over went unheard. */
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
      const open = this.#stops.find((stop) => stop.unit === unit && stop.to === null && at >= stop.from);
      if (open !== undefined) open.to = at;
      return;
    }
    const known = this.#stops.find((stop) => stop.unit === unit && isWithin(stop, at));
    if (known !== undefined) known.from = Math.min(known.from, at);
    else this.#stops = [...this.#stops, { unit, from: at, to: null }].slice(-kept);
  }

  /** The unit whose stop took this run with it, if it ended then. A user's own engine is no unit of the machine's. */
  behind({ source, socketPath }: Pick<Run, 'source' | 'socketPath'>, endedAt: number): string | null {
    if (source !== 'docker') return null;
    const stop = this.#stops.findLast((one) => isWithin(one, endedAt));
    return stop !== undefined && (socketPath === null || isSameSocket(socketPath, machineSocket)) ? stop.unit : null;
  }
}

const machineSocket = '/var/run/docker.sock';

function isWithin({ from, to }: Stop, at: number): boolean {
  return at >= from - slackMs && at <= (to ?? from + longestMs) + slackMs;
}
