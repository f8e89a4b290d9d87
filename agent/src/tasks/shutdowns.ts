import type { SystemStopping } from '../watchers/watcher.ts';

/** An end may be heard before the word that the node is going down. */
const slackMs = 2000;

/** Since when the node is going down; after a restart, since when it was, for the ends that are found out only then. */
export class Shutdowns {
  readonly #startedAt: number;
  #since: number | null;

  /** `since`: what an earlier life of the agent knew; `startedAt`: when this one began. */
  constructor({ since, startedAt }: { since: number | null; startedAt: number }) {
    this.#since = since;
    this.#startedAt = startedAt;
  }

  get since(): number | null {
    return this.#since;
  }

  see({ isStopping, at }: Pick<SystemStopping, 'isStopping' | 'at'>): void {
    if (!isStopping) {
      this.#since = null;
      return;
    }
    // Said by several, each a little later; one of an earlier boot may be read back at any time.
    const isSame = this.#since !== null && this.#since >= this.#startedAt && at >= this.#startedAt;
    this.#since = isSame ? Math.min(this.#since ?? at, at) : Math.max(this.#since ?? at, at);
  }

  /** A shutdown of an earlier boot explains ends of that boot only. */
  explains(endedAt: number): boolean {
    if (this.#since === null || endedAt < this.#since - slackMs) return false;
    return this.#since >= this.#startedAt || endedAt < this.#startedAt;
  }
}
