import type { LedgerOptions } from './ledger-options.ts';
import type { EngineHeard, LedgerState } from './ledger-state.ts';
import type { Run } from './run.ts';

export interface StateKeeperOptions extends Pick<LedgerOptions, 'log' | 'settled' | 'engines'> {
  readonly save: LedgerOptions['state']['save'];
  /** What is to be written down, as it is at this moment. */
  readonly take: () => LedgerState;
}

/** An engine keeps its last events only: what is to be replayed must not become long. */
const mostToReplayMs = 10_000;

/** Writes down what runs whenever it has changed, one write at a time; what changes meanwhile follows. A slow disk delays only this. */
export class StateKeeper {
  readonly #options: StateKeeperOptions;
  /** Ended and on disk, but perhaps still open in the file of what runs. */
  readonly #over: Run[] = [];
  #isDirty = false;
  #saving: Promise<void> | null = null;
  /** Up to where each engine was heard when it was last written down, by its socket. */
  #heard = new Map<string, EngineHeard>();

  constructor(options: StateKeeperOptions) {
    this.#options = options;
  }

  /** Something of it has changed. */
  changed(): void {
    this.#isDirty = true;
  }

  /** The end of this run is on disk: when it runs no more by our file either, its source may forget it. */
  over(run: Run): void {
    this.#over.push(run);
    this.#isDirty = true;
  }

  /** Resolves when all that had changed is written down, or could not be. */
  async save(): Promise<void> {
    while (this.#saving !== null) await this.#saving;
    if (!this.#isDirty && !this.#isBehind()) return;
    this.#saving = this.#write();
    await this.#saving;
  }

  #isBehind(): boolean {
    return this.#options.engines().some(({ socket_path: path, key, at }) => {
      const written = this.#heard.get(path);
      // Without a key it has begun anew, and has told the gap.
      return at - (written?.at ?? 0) >= mostToReplayMs || (key === null && written?.key != null);
    });
  }

  async #write(): Promise<void> {
    const { save, take, settled, log } = this.#options;
    this.#isDirty = false;
    const over = this.#over.splice(0);
    const state = take();
    this.#heard = new Map(state.engines.map((engine) => [engine.socket_path, engine]));
    try {
      await save(state);
      // Only now: a next life would believe that what it reads of here still runs.
      for (const { source, handle } of over) settled(source, handle);
    } catch (error) {
      log.warn({ err: error }, 'what runs could not be written down; it is tried again');
      this.#over.unshift(...over);
      this.#isDirty = true;
    } finally {
      this.#saving = null;
    }
  }
}
