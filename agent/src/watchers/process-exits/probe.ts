import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { ProcessConnector } from './connector.ts';
import type { ProcessEvent } from './messages.ts';
import type { Pidfds } from './pidfd.ts';

/** What this machine lets us see, found out by watching a child of our own begin and end. Versions say nothing: kernels are patched. */
export interface Features {
  /** A pidfd tells the exit status after the reap. */
  readonly pidfdExit: boolean;
  /** The connector showed our own child; receiving anything at all proves nothing (foreign pid namespaces). */
  readonly events: boolean;
  /** Everything received meanwhile, to be handled as usual. */
  readonly received: readonly ProcessEvent[];
}

export interface ProbeOptions {
  readonly pidfds: Pidfds;
  readonly connector: ProcessConnector | null;
  readonly clock: Clock;
}

const EXIT_CODE = 9;
const PATIENCE_MS = 500;
const LOOK_EVERY_MS = 2;

/** Throws when no child can be started. */
export async function probe({ pidfds, connector, clock }: ProbeOptions): Promise<Features> {
  const child = spawn('/bin/sh', ['-c', `read line; exit ${EXIT_CODE}`], { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  const fd = pidfds.open(pid, 'brief');
  const isReaped = reaped(child);
  child.stdin?.end('\n');
  await isReaped;
  const pidfdExit = fd >= 0 && pidfds.info(fd).waitStatus === EXIT_CODE << 8;
  if (fd >= 0) pidfds.close(fd);

  const received: ProcessEvent[] = [];
  const events = connector !== null && (await seesExit({ connector, pid, clock, received }));
  return { pidfdExit, events, received };
}

async function reaped(child: ChildProcess): Promise<void> {
  child.stdin?.on('error', () => child.kill('SIGKILL'));
  await once(child, 'exit');
}

interface Wait {
  readonly connector: ProcessConnector;
  readonly pid: number;
  readonly clock: Clock;
  readonly received: ProcessEvent[];
}

async function seesExit({ connector, pid, clock, received }: Wait): Promise<boolean> {
  const isOurs = (event: ProcessEvent) =>
    event.kind === 'exit' && event.pid === pid && event.tgid === pid && event.waitStatus === EXIT_CODE << 8;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_EVERY_MS) {
    connector.drain((event) => received.push(event));
    if (received.some(isOurs)) return true;
    await clock.sleep(LOOK_EVERY_MS);
  }
  return false;
}
