import type { DeliveryOutcome } from '../notifier.ts';

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly complaint: string }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly code: string }
  | { readonly kind: 'too-slow'; readonly timeoutMs: number }
  | { readonly kind: 'stopped' };

/** sysexits.h(3head): EX_TEMPFAIL, "user is invited to retry". */
const temporaryFailure = 75;

/** Of open(2), fork(2) and execve(2): what passes. */
const passing: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY']);

/**
 * | end | |
 * |---|---|
 * | exit 0 | delivered |
 * | exit 75, a signal, the time limit, no memory or process for it | retry |
 * | every other exit, no such program, not executable | refused |
 */
export function judgeEnd(end: ProgramEnd): DeliveryOutcome {
  switch (end.kind) {
    case 'exited': {
      if (end.code === 0) return { outcome: 'delivered' };
      const error = `exit code ${end.code}${end.complaint === '' ? '' : `: ${end.complaint}`}`;
      return { outcome: end.code === temporaryFailure ? 'retry' : 'refused', error };
    }
    case 'signalled':
      return { outcome: 'retry', error: `the program was ended by ${end.signal}` };
    case 'not-started':
      return {
        outcome: passing.has(end.code) ? 'retry' : 'refused',
        error: `the program could not be started (${end.code})`,
      };
    case 'too-slow':
      return { outcome: 'retry', error: `the program took longer than ${end.timeoutMs} ms` };
    case 'stopped':
      return { outcome: 'retry', error: 'stopped' };
  }
}
