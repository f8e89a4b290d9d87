import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { TaskEnding, Verdict } from '@runnerwatch/shared/model/task.ts';

/** What a job says of itself: it begins, or it is over, with its exit code or at least whether it failed. */
export type Word =
  | { readonly kind: 'start' }
  | { readonly kind: 'end'; readonly isFailure: boolean; readonly exitCode: number | null };

export interface EndedRun {
  readonly startedAt: Date | null;
  /** When its word came. */
  readonly now: Date;
}

/** A job's last word as an end: likely at best, because nobody saw it. */
export function endingOfWord(
  { isFailure, exitCode }: Extract<Word, { kind: 'end' }>,
  { lastLine, ...run }: EndedRun & { readonly lastLine: string | null },
): TaskEnding {
  const code = exitCode === null ? '' : ` with exit code ${exitCode}`;
  const says = isFailure ? `it failed${code}` : `it ended well${code}`;
  return {
    ...ended(run, {
      cause: isFailure ? (exitCode === null ? 'unknown' : 'exit_code') : 'success',
      confidence: 'likely',
      summary: `The job says ${says}`,
      evidence: [{ source: 'ping', at: toInstant(run.now.getTime()), fact: `told ${says}${conventionOf(exitCode)}` }],
      advice: [],
    }),
    status: isFailure ? 'failed' : 'completed',
    exit_code: exitCode,
    error_message: isFailure ? lastLine : null,
  };
}

/** A run that began again before it told its end. */
export function endingOfSilence(run: EndedRun): TaskEnding {
  const fact = 'told that it begins, again, and no end in between';
  return {
    ...ended(run, {
      cause: 'unknown',
      confidence: 'unknown',
      summary: 'The job began again and never told how this run ended',
      evidence: [{ source: 'ping', at: toInstant(run.now.getTime()), fact }],
      advice: ['let the job ping its end also when it fails, for instance from a trap of its shell'],
    }),
    status: 'unknown',
    ended_at_approximate: true,
    duration_ms: null,
  };
}

function ended({ startedAt, now }: EndedRun, verdict: Verdict): TaskEnding {
  return {
    status: 'unknown',
    exit_code: null,
    signal: null,
    ended_at: toInstant(now.getTime()),
    ended_at_approximate: false,
    duration_ms: startedAt === null ? null : Math.max(0, now.getTime() - startedAt.getTime()),
    cpu_ms: null,
    memory_peak_bytes: null,
    memory_limit_bytes: null,
    error_message: null,
    verdict,
  };
}

/** POSIX.1-2024, 2.8.2: a shell tells a command's end by a signal as a code above 128; which one is only customary. */
function conventionOf(exitCode: number | null): string {
  return exitCode !== null && exitCode > 128 && exitCode <= 192
    ? `; a shell says so of a command that signal ${exitCode - 128} ended`
    : '';
}
