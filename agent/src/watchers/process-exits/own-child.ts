import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';

const withinMs = 500;

/** Whether a child of our own is heard of, by the count of events heard. True when none could be started: nothing is known then. */
export async function isOwnChildHeard({
  heard,
  clock,
  log,
}: {
  readonly heard: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<boolean> {
  const before = heard();
  const child = spawn('/bin/true', { stdio: 'ignore' });
  await once(child, 'exit').catch((error: unknown) => {
    log.debug({ err: error }, 'no child could be started to be heard of');
  });
  await clock.sleep(withinMs);
  return heard() > before || child.pid === undefined;
}
