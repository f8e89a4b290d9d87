import { join } from 'node:path';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { type EventBody, laneOf } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Ground } from './ground.ts';
import { withoutSecrets } from './logs/without-secrets.ts';
import { SpoolLockedError } from './spool/lock.ts';
import { describeProblem, type SpoolProblem } from './spool/problem.ts';
import { openSpool, type Spool } from './spool/spool.ts';
import { SpoolFolderError } from './spool/stream.ts';

export type RecordEvent = (body: EventBody) => void;

export interface Spooling {
  readonly spool: Spool;
  /** Writes an event that nobody waits for; what cannot be kept is the spool's to count. */
  readonly record: RecordEvent;
}

/** Opens the spool, whose losses are told through itself. @throws StartFailure when it is another agent's, or cannot be written. */
export async function openSpooling(ground: Ground): Promise<Spooling> {
  // What the spool finds while it opens waits until there is somewhere to write it.
  const early: SpoolProblem[] = [];
  let onProblem: (problem: SpoolProblem) => void = (problem) => early.push(problem);
  const spool = await openOrExplain(ground, (problem) => onProblem(problem));
  const record = recorder(ground, spool);
  const overflow = spoolOverflow(ground.clock, record);
  onProblem = overflow.take;
  early.forEach(overflow.take);
  return { spool, record };
}

async function openOrExplain(
  { config, folder, clock, log: agentLog }: Ground,
  onProblem: (problem: SpoolProblem) => void,
): Promise<Spool> {
  const log = subsystem(agentLog, 'agent:spool');
  try {
    return await openSpool({
      folder: join(folder, 'spool'),
      report: (problem) => {
        log.warn({ problem: problem.kind }, describeProblem(problem));
        onProblem(problem);
      },
      now: () => clock.wallMs(),
      maxBytes: config.spool.max_bytes,
      maxAgeMs: config.spool.max_age,
    });
  } catch (error) {
    if (error instanceof SpoolLockedError) throw new StartFailure('alreadyRunning', error.message, { cause: error });
    if (error instanceof SpoolFolderError) throw new StartFailure('cannotWrite', error.message, { cause: error });
    throw error;
  }
}

function recorder({ redact, clock, log }: Ground, spool: Spool): RecordEvent {
  return (body) => {
    spool.append(withoutSecrets(body, redact), clock.wallMs()).catch((error: unknown) => {
      log.warn({ err: error, kind: body.kind, lane: laneOf(body) }, 'an event was not kept');
    });
  };
}

/** The spool's losses as a condition: fires while it gives records up, resolves when it writes again. */
function spoolOverflow(clock: Clock, record: RecordEvent): { take: (problem: SpoolProblem) => void } {
  let isFiring = false;
  const report = (status: ConditionReport['status'], reason: string) => {
    isFiring = status === 'true';
    record({
      kind: 'condition',
      report: {
        condition: 'SpoolOverflow',
        component: 'agent',
        subject: '',
        status,
        severity: 'critical',
        reason,
        value: null,
        threshold: null,
        since: toInstant(clock.wallMs()),
      },
    });
  };
  return {
    take: (problem) => {
      if (['full', 'evicted', 'not_durable', 'damaged', 'missing'].includes(problem.kind) && !isFiring)
        report('true', describeProblem(problem));
      if (problem.kind === 'recovered' && isFiring) report('false', describeProblem(problem));
    },
  };
}
