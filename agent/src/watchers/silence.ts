/*
 * "Heart beats, eyes shut": a connection that stands and says nothing. What should have been said is known from a second,
 * cheap witness of the same things; where the two disagree twice in a row, the source is silent.
 */

/** Things that a source speaks of and its second witness lists, by name. */
export class Disagreement {
  #suspects: ReadonlySet<string> = new Set();
  #excused: ReadonlySet<string> = new Set();

  /** Someone is looked at twice before anything is concluded. */
  get isSuspicious(): boolean {
    return this.#suspects.size > 0;
  }

  /**
   * Names that only one of the two knows, now and when it was asked before. Each is told once while it lasts: what a new
   * connection does not cure is no silence.
   */
  check({ heard, listed }: { heard: ReadonlySet<string>; listed: ReadonlySet<string> }): string[] {
    const apart = [
      ...[...listed].filter((name) => !heard.has(name)),
      ...[...heard].filter((name) => !listed.has(name)),
    ];
    this.#excused = new Set(apart.filter((name) => this.#excused.has(name)));
    const fresh = apart.filter((name) => !this.#excused.has(name));
    const lasting = fresh.filter((name) => this.#suspects.has(name));
    this.#suspects = new Set(fresh.filter((name) => !lasting.includes(name)));
    this.#excused = new Set([...this.#excused, ...lasting]);
    return lasting;
  }

  /** A new connection lists everything: what was suspected before it is settled. */
  reset(): void {
    this.#suspects = new Set();
  }
}

/** So many processes begin without a word only when nobody speaks. */
const forksUnheard = 20;

/** Holds the kernel's count of processes begun (proc_stat(5), `processes`) against the events that came meanwhile. */
export class ForkWitness {
  #before: { readonly forks: number; readonly events: number } | null = null;

  /** True: processes began, and no event of any came. */
  isSilent({ forks, events }: { forks: number | null; events: number }): boolean {
    const before = this.#before;
    this.#before = forks === null ? null : { forks, events };
    if (before === null || forks === null) return false;
    return events === before.events && forks - before.forks >= forksUnheard;
  }
}

/** `a.scope, b.scope and 3 more`. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 2).join(', ');
  return names.length > 2 ? `${shown} and ${names.length - 2} more` : shown;
}
