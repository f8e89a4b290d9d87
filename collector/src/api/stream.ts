import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import type { Logger } from 'pino';

/*
 * From a commit to a reader's screen, in three steps:
 *   1. whoever committed something publishes a hint: which node, task or incident has changed
 *   2. the hub gathers hints for a moment, and reads each changed record once, through the same door as the API
 *   3. every reader gets the same bytes; one that does not read is cut off and comes back by itself
 * With nobody reading, nothing is loaded. A reader that was away asks the listings again: there is no replay.
 */

/** Something that readers of the live stream want to hear of. */
export type Change =
  | { readonly kind: RecordKind; readonly id: string }
  | { readonly kind: 'sample'; readonly node_id: string; readonly sample: NodeSample };

export type RecordKind = 'node' | 'task' | 'incident';

export interface Bus {
  publish(change: Change): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (change: Change) => void): () => void;
}

/** An in-process bus. Listeners are called at once and must not throw. */
export function createBus(): Bus {
  const listeners = new Set<(change: Change) => void>();
  return {
    publish: (change) => {
      for (const listener of listeners) listener(change);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Reads a record as the API shows it; null when it is gone. */
export type LoadRecord = (id: string) => Promise<unknown>;

/** One open response. The hub needs no more of it than this. */
export interface Reader {
  write(text: string): void;
  /** Bytes written and not yet taken by the other side. */
  unreadBytes(): number;
  /** False: whoever opened it may no longer read as he did then. Asked every second. */
  mayStay(): boolean;
  /** Ends it without waiting for the other side. */
  cutOff(): void;
}

export interface StreamHub extends AsyncDisposable {
  /** Returns the function that lets the reader go. */
  add(reader: Reader): () => void;
  readonly readerCount: number;
}

export interface HubOptions {
  readonly bus: Bus;
  readonly load: Readonly<Record<RecordKind, LoadRecord>>;
  readonly log: Logger;
  /** How long hints are gathered. */
  readonly gatherMs?: number;
  readonly heartbeatMs?: number;
  readonly unreadBytesMax?: number;
}

/** A token that is taken away ends its streams within this. */
const reviewMs = 1000;

/** Brings changes to readers of server-sent events. */
export function createStreamHub({
  bus,
  load,
  log,
  gatherMs = 100,
  heartbeatMs = 15_000,
  unreadBytesMax = 1024 * 1024,
}: HubOptions): StreamHub {
  const readers = new Set<Reader>();
  const changed = new Map<string, { kind: RecordKind; id: string }>();
  let gathering: NodeJS.Timeout | undefined;
  let flushing: Promise<void> = Promise.resolve();

  const broadcast = (text: string) => {
    for (const reader of readers) {
      reader.write(text);
      if (reader.unreadBytes() <= unreadBytesMax) continue;
      readers.delete(reader);
      reader.cutOff();
      log.warn({ unread_bytes: reader.unreadBytes() }, 'cut off a stream reader that does not read');
    }
  };
  const flush = async () => {
    const round = [...changed.values()];
    changed.clear();
    for (const { kind, id } of round) {
      try {
        const record = await load[kind](id);
        broadcast(record === null ? eventText('removed', { kind, id }) : eventText(kind, record));
      } catch (error) {
        log.warn({ err: error, kind, id }, 'could not read a changed record for the stream');
      }
      /* A burst must not fill the buffer of a reader that had no turn to be written to. */
      await nextTurn();
    }
  };
  const unsubscribe = bus.subscribe((change) => {
    if (readers.size === 0) return;
    if (change.kind === 'sample')
      return broadcast(eventText('sample', { node_id: change.node_id, sample: change.sample }));
    changed.set(`${change.kind} ${change.id}`, change);
    gathering ??= setTimeout(() => {
      gathering = undefined;
      flushing = flushing.then(flush);
    }, gatherMs);
  });
  const heartbeat = setInterval(() => broadcast(': still here\n\n'), heartbeatMs);
  heartbeat.unref();
  const review = setInterval(() => {
    for (const reader of readers) {
      if (reader.mayStay()) continue;
      readers.delete(reader);
      reader.cutOff();
    }
  }, reviewMs);
  review.unref();

  return {
    add: (reader) => {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    get readerCount() {
      return readers.size;
    },
    [Symbol.asyncDispose]: async () => {
      unsubscribe();
      clearInterval(heartbeat);
      clearInterval(review);
      clearTimeout(gathering);
      for (const reader of readers) reader.cutOff();
      readers.clear();
      await flushing;
    },
  };
}

/** One event of an event stream (WHATWG HTML section 9.2). JSON holds no raw line break, so `data` is one line. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
