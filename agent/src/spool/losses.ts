import { type Lane, laneOf } from '@runnerwatch/shared/model/event.ts';
import type { Draft } from './lane-writer.ts';

/** Records of one lane that were turned away, to be told by one gap event. Instants are milliseconds since the epoch. */
export interface Loss {
  readonly lane: Lane;
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** Counts what was turned away or cut down, exactly and per class, until there is room to say so. */
export class Losses {
  readonly refusedRecords: Record<Lane, number> = { ends: 0, facts: 0 };
  shedLogTails = 0;
  readonly #untold = new Map<Lane, Loss>();

  refuse({ body, at }: Draft): void {
    const lane = laneOf(body);
    this.refusedRecords[lane]++;
    this.putBack({ lane, count: 1, from: at, to: at });
  }

  shed(logTails: number): void {
    this.shedLogTails += logTails;
  }

  /** What has not been told yet; the caller tells it, or puts it back. */
  take(): Loss[] {
    const losses = [...this.#untold.values()];
    this.#untold.clear();
    return losses;
  }

  putBack(loss: Loss): void {
    const other = this.#untold.get(loss.lane) ?? { ...loss, count: 0 };
    this.#untold.set(loss.lane, {
      lane: loss.lane,
      count: other.count + loss.count,
      from: Math.min(other.from, loss.from),
      to: Math.max(other.to, loss.to),
    });
  }
}
