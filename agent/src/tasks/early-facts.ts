import { isMainProcess, type Run } from './run.ts';
import { isOfAnother, subjectOf, type TaskFact } from './task-facts.ts';
import { isFrom } from './told-ends.ts';

interface EarlyFact {
  readonly fact: TaskFact;
  readonly keptAtMs: number;
}

const keptMs = 10_000;
const mostKept = 1000;

/** Facts of runs that nobody has spoken of yet: the journal may be quicker than the bus. Instants are of the monotonic clock. */
export class EarlyFacts {
  readonly #facts = new Set<EarlyFact>();

  keep(fact: TaskFact, nowMs: number): void {
    this.#facts.add({ fact, keptAtMs: nowMs });
    // In the order they came.
    for (const oldest of this.#facts) {
      if (this.#facts.size <= mostKept && nowMs - oldest.keptAtMs <= keptMs) return;
      this.#facts.delete(oldest);
    }
  }

  /** Those of this run, in the order they came; given out once. */
  take(run: Run): TaskFact[] {
    const found = [...this.#facts].filter(({ fact }) => isOf(run, fact));
    for (const one of found) this.#facts.delete(one);
    return found.map(({ fact }) => fact);
  }
}

function isOf(run: Run, fact: TaskFact): boolean {
  const subject = subjectOf(fact);
  if (isOfAnother(run, subject)) return false;
  const isNamed = subject.handles.includes(run.handle) || (subject.pid !== null && isMainProcess(run, subject.pid));
  return isNamed && (subject.key !== null || isFrom(run, subject.at));
}
