import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { LedgerOptions } from './ledger-options.ts';

interface Writing {
  readonly body: EventBody;
  readonly atMs: number;
  /** Called when it is on disk. */
  readonly after?: (() => void) | undefined;
}

/** Writes the ledger's events without being waited for; what could not be written is kept and tried again. */
export class EventWriter {
  readonly #options: Pick<LedgerOptions, 'write' | 'log' | 'crashPoint'>;
  readonly #settling = new Set<Promise<void>>();
  readonly #unwritten: Writing[] = [];

  constructor(options: Pick<LedgerOptions, 'write' | 'log' | 'crashPoint'>) {
    this.#options = options;
  }

  write(writing: Writing): void {
    const { write, crashPoint, log } = this.#options;
    const { body, atMs, after } = writing;
    crashPoint?.('before-write');
    const done = write(body, atMs).then(
      () => {
        crashPoint?.('written');
        after?.();
      },
      (error: unknown) => {
        log.error({ err: error, kind: body.kind }, 'an event could not be written down; it is tried again');
        this.#unwritten.push(writing);
      },
    );
    this.track(done);
  }

  retry(): void {
    for (const writing of this.#unwritten.splice(0)) this.write(writing);
  }

  /** Something that {@link settled} waits for: it may write. */
  track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#settling.delete(tracked));
    this.#settling.add(tracked);
  }

  async settled(): Promise<void> {
    while (this.#settling.size > 0) await Promise.all(this.#settling);
  }
}
