import { constants } from 'node:os';
import type { Gap } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { PreviousLife } from './life.ts';
import { type DeathOfUnit, findDeathOfUnit } from './watchers/journal/death-of-unit.ts';

export interface PreviousDeathOptions {
  readonly previous: PreviousLife;
  readonly tell: (gap: Gap) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Says, once, that the agent's last life was cut off in this boot, and by what, where systemd wrote that down. A power cut
 * took the whole node, which is told as such. `stop` waits until it is said, at the latest with what is known by then.
 */
export function tellPreviousDeath({ previous, tell, clock, log }: PreviousDeathOptions): { stop(): Promise<void> } {
  if (previous.ended !== 'killed') return { stop: () => Promise.resolve() };
  const stopping = new AbortController();
  const startedAt = clock.wallMs();
  const telling = findDeath(previous, { clock, signal: stopping.signal }).then((death) => {
    const cause = describeDeath(death);
    const from = Math.min(death?.at ?? previous.lastWroteAt ?? startedAt, startedAt);
    log.warn({ cause, last_sign_of_life: toInstant(from) }, 'the last run of this agent did not end by itself');
    tell({
      source: 'agent',
      cause,
      lost: null,
      at_most: null,
      from: toInstant(from),
      to: toInstant(startedAt),
      lane: null,
      from_seq: null,
      to_seq: null,
    });
  });
  return {
    stop: () => {
      stopping.abort();
      return telling;
    },
  };
}

async function findDeath(
  { invocationId }: PreviousLife,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<DeathOfUnit | null> {
  return invocationId === null ? null : findDeathOfUnit({ invocationId, clock, signal });
}

export function describeDeath(death: DeathOfUnit | null): string {
  if (death === null) return 'the agent did not end by itself: it was killed, or it crashed';
  const { result, execMain } = death;
  const words = [
    ...(execMain === null ? [] : [`main process ${execMain.code}, status ${execMain.status}`]),
    ...(result === null ? [] : [`result ${result}`]),
  ];
  return `the agent ${howItDied(death)} (systemd: ${words.join('; ')})`;
}

function howItDied({ isOom, result, execMain }: DeathOfUnit): string {
  if (isOom) return 'was killed for want of memory, by the OOM killer';
  if (result === 'timeout') return 'did not stop in time and was killed by systemd';
  if (result === 'watchdog') return 'was killed by the watchdog of systemd';
  if (execMain === null) return 'did not end by itself';
  if (execMain.code === 'exited') return `crashed with exit code ${execMain.status}`;
  return `${execMain.code === 'dumped' ? 'crashed' : 'was killed'} with ${nameOf(execMain.status)}`;
}

function nameOf(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `signal ${signal}`;
}
