import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';

/** Something that is kept for a time and then deleted. */
export interface Perishable {
  readonly name: string;
  /** 0 keeps it for ever. */
  readonly keepMs: number;
  /** Deletes at most `limit` of what is older; returns how many. */
  readonly deleteBefore: (before: Date, limit: number) => Promise<number>;
}

export interface RetentionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly perishables: readonly Perishable[];
  readonly everyMs?: number;
}

/** Rows of one statement: short enough that others get in between. */
const rowsAtOnce = 5000;

/** Deletes what is too old, at the start and every hour, in small steps. */
export function startRetention({ clock, log, perishables, everyMs = 3_600_000 }: RetentionOptions): AsyncDisposable {
  const round = async (signal: AbortSignal) => {
    for (const perishable of perishables) await expire(perishable, { clock, log, signal });
  };
  return repeat(round, { clock, everyMs });
}

/** Never rejects: what could not be deleted is tried again at the next round. */
export async function expire(
  { name, keepMs, deleteBefore }: Perishable,
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<void> {
  if (keepMs === 0) return;
  const before = new Date(clock.wallMs() - keepMs);
  let total = 0;
  try {
    while (!signal.aborted) {
      const deleted = await deleteBefore(before, rowsAtOnce);
      total += deleted;
      if (deleted < rowsAtOnce) break;
    }
    if (total > 0) log.info({ what: name, deleted: total }, 'deleted what is older than its retention');
  } catch (error) {
    log.warn(
      { err: error, what: name },
      'could not delete what is older than its retention; it is tried again at the next round',
    );
  }
}
