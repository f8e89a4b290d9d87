import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { UnitEnded } from '../watcher.ts';
import { parseEntry } from './entry.ts';
import { runJournalctl } from './journalctl.ts';
import { LifecycleReader } from './lifecycle.ts';

export interface DeathOfUnit extends Pick<UnitEnded, 'result' | 'execMain' | 'at'> {
  /** systemd saw the OOM killer take the main process, or one beside it just before. */
  readonly isOom: boolean;
}

export interface DeathQuestion {
  /** systemd's id of that run of the unit. */
  readonly invocationId: string;
  /** Ends the asking. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Instead of `journalctl`, for tests. */
  readonly command?: readonly string[];
}

/** journald may be behind what it is told. */
const attempts = 3;
const againAfterMs = 2000;
const longestLookMs = 10_000;
/** systemd tells of an OOM kill and of the death by it together. */
const togetherMs = 5000;

/** What systemd wrote down about the end of one run of a unit in this boot; null when nothing is found, or the journal cannot be read. */
export async function findDeathOfUnit(question: DeathQuestion): Promise<DeathOfUnit | null> {
  const { signal, clock } = question;
  for (let attempt = 1; !signal.aborted; attempt++) {
    const found = await look(question);
    if (found !== null || attempt === attempts) return found;
    await clock.sleep(againAfterMs, signal);
  }
  return null;
}

async function look({ invocationId, signal, command = ['journalctl'] }: DeathQuestion): Promise<DeathOfUnit | null> {
  const reader = new LifecycleReader(() => true);
  let end: UnitEnded | null = null;
  let oomAt: number | null = null;
  const take = (sightings: ReturnType<LifecycleReader['read']>) => {
    for (const sighting of sightings) {
      if (sighting.kind === 'unit_ended') end = sighting;
      if (sighting.kind === 'unit_oom') oomAt = sighting.at;
    }
  };
  const place = ['--boot', '--lines=100', '_PID=1', `INVOCATION_ID=${invocationId}`];
  const onLine = (line: string) => {
    const entry = parseEntry(line);
    if (entry !== null) take(reader.read(entry));
  };
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(longestLookMs)]);
    await runJournalctl({ command, args: place, onLine, signal: bounded });
  } catch {
    return null; // no journalctl here: the journal cannot be read
  }
  take(reader.flush());
  return judge(end, oomAt);
}

function judge(end: UnitEnded | null, oomAt: number | null): DeathOfUnit | null {
  if (end === null) return null;
  const { result, execMain, at } = end;
  return { result, execMain, at, isOom: result === 'oom-kill' || (oomAt !== null && at - oomAt <= togetherMs) };
}
