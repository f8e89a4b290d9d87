import type { TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import { adviseOn } from './advice.ts';
import { evidenceOf } from './evidence.ts';
import { diskFull } from './judge-disk.ts';
import { ended } from './judge-end.ts';
import { exitOf } from './judge-exit.ts';
import { gpuFault } from './judge-gpu.ts';
import { outOfMemory } from './judge-memory.ts';
import { notStarted } from './judge-start.ts';
import { stopped } from './judge-stop.ts';
import { outOfTime } from './judge-time.ts';
import type { RunFacts } from './run-facts.ts';

/** How a run of work ended, judged. */
export interface Judgment {
  readonly status: TaskStatus;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly errorMessage: string | null;
  readonly verdict: Verdict;
}

/**
 * From what was seen to what it means; pure. The questions are asked in this order, and the first that has an answer decides:
 * did it start at all · did its time run out (it was still alive then) · was it killed for memory · did someone stop it · did
 * its GPU fail it · was its disk full · how did its main process end.
 * Whatever nobody saw is `unknown`: a number is never turned into a signal, 137 never into an OOM, silence never into success.
 */
export function judgeEnd(facts: RunFacts): Judgment {
  const exit = exitOf(facts);
  const finding =
    notStarted(facts, exit) ??
    outOfTime(facts, exit) ??
    outOfMemory(facts, exit) ??
    stopped(facts, exit) ??
    gpuFault(facts, exit) ??
    diskFull(facts, exit) ??
    ended(facts, exit);
  const { status, cause, confidence, summary } = finding;
  return {
    status,
    exitCode: exit?.kind === 'code' ? exit.code : null,
    signal: exit?.kind === 'signal' ? exit.signal : null,
    errorMessage: status === 'completed' ? null : (facts.container?.error ?? facts.run?.startError ?? summary),
    verdict: {
      cause,
      confidence,
      summary,
      evidence: evidenceOf(facts, exit),
      advice: adviseOn({ cause, facts, exit }),
    },
  };
}
