import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';

export interface KeepaliveOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** How long the other side may stay silent after a ping. */
  readonly deadlineMs: number;
  readonly sendPing: (id: number) => void;
  /** When anything was last heard, in monotonic milliseconds. */
  readonly heardAt: () => number;
}

/** A reader who was stopped or suspended finds its timers due before it has read what came meanwhile. */
const graceMs = 500;

/** Pings until the signal aborts ('over') or a ping finds nobody ('silent'): the only way to notice a socket whose writes vanish. */
export async function keepAlive(
  { clock, intervalMs, deadlineMs, sendPing, heardAt }: KeepaliveOptions,
  signal: AbortSignal,
): Promise<'silent' | 'over'> {
  for (let id = 1; ; id++) {
    await clock.sleep(Math.max(0, intervalMs - (id === 1 ? 0 : deadlineMs)), signal);
    if (signal.aborted) return 'over';
    const askedAt = clock.monotonicMs();
    sendPing(id);
    await clock.sleep(deadlineMs, signal);
    if (heardAt() < askedAt) await clock.sleep(graceMs, signal);
    if (signal.aborted) return 'over';
    if (heardAt() < askedAt) return 'silent';
  }
}
