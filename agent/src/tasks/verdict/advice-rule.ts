import type { Cause } from '@runnerwatch/shared/model/task.ts';
import type { ExitStatus } from './exit-status.ts';
import type { RunFacts } from './run-facts.ts';

export interface Case {
  readonly cause: Cause;
  readonly facts: RunFacts;
  readonly exit: ExitStatus | null;
}

/** One thing a person can do, with the numbers it rests on; null where the rule knows nothing. */
export type Rule = (one: Case) => string | null;
