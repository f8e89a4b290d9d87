import type { QueryClient } from '@tanstack/react-query';
import type { NodeSample } from './api-types.ts';
import { ApiFailure, hasToken, request, storeToken } from './client.ts';
import { readEvents } from './event-stream.ts';
import { type Change, patchCache } from './patch-cache.ts';
import { createStore, type Store } from './store.ts';

/*
 * The one live stream of the page. It opens, everything on show is read again, and from then on its events patch the cache.
 * What comes within a moment is applied together, so that a fleet of a thousand nodes redraws a few times a second and not a
 * thousand times. After every break it opens anew; one that says nothing for a while (heartbeats come every 15 s) is dead.
 */

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** What is on show is as old as `since` (milliseconds since the epoch). */
  | { readonly kind: 'away'; readonly since: number }
  /** The collector asks for a token. */
  | { readonly kind: 'locked'; readonly refusal: string | null };

export interface Live {
  readonly connection: Store<Connection>;
  /** The newest reading of a node that came by the stream; null before the first. */
  sampleOf(nodeId: string): Store<NodeSample | null>;
  unlock(token: string): void;
  start(): void;
}

const silenceMs = 40_000;
const retryMs = [500, 1000, 2000, 5000, 10_000];
const gatherMs = 200;

export function createLive(client: QueryClient): Live {
  const connection = createStore<Connection>({ kind: 'connecting' });
  const samples = new Map<string, Store<NodeSample | null>>();
  const sampleOf = (nodeId: string) => {
    const store = samples.get(nodeId) ?? createStore<NodeSample | null>(null);
    samples.set(nodeId, store);
    return store;
  };
  const apply = gather<readonly [name: string, data: unknown]>((events) => {
    const changes: Change[] = [];
    for (const [name, data] of events) {
      if (name === 'sample') {
        const { node_id: nodeId, sample } = data as { node_id: string; sample: NodeSample };
        sampleOf(nodeId).set(sample);
      } else changes.push({ name, record: data as Change['record'] });
    }
    if (changes.length > 0) patchCache(client, changes);
  });

  const follow = async () => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), silenceMs);
    const onAlive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
    };
    try {
      const { body } = await request('api/v1/stream', { signal: silence.signal });
      if (body === null) return;
      /* What was read before the stream opened may have changed since without a word. */
      void client.invalidateQueries();
      connection.set({ kind: 'live' });
      await readEvents(body, { onAlive, onEvent: (name, data) => apply([name, data]) });
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  };

  const run = async () => {
    for (let failures = 0; ; failures += 1) {
      const failure = await follow().then(
        () => null,
        (error: unknown) => error,
      );
      if (failure instanceof ApiFailure && (failure.status === 401 || failure.status === 429)) {
        connection.set({ kind: 'locked', refusal: refusalOf(failure) });
        return;
      }
      const before = connection.get();
      if (before.kind === 'live') failures = 0;
      if (before.kind !== 'away') connection.set({ kind: 'away', since: Date.now() });
      const waitMs = retryMs[Math.min(failures, retryMs.length - 1)] ?? 0;
      await new Promise((resolve) => setTimeout(resolve, waitMs * (0.75 + Math.random() / 2)));
    }
  };

  return {
    connection,
    sampleOf,
    start: () => void run(),
    unlock: (token) => {
      storeToken(token);
      void run();
    },
  };
}

function refusalOf({ status, message }: ApiFailure): string | null {
  if (status === 429) return message;
  return hasToken() ? 'That token is not accepted.' : null;
}

/** Calls `then` with everything that came within a moment. */
function gather<T>(then: (items: readonly T[]) => void): (item: T) => void {
  let items: T[] = [];
  return (item) => {
    items.push(item);
    if (items.length > 1) return;
    setTimeout(() => {
      const gathered = items;
      items = [];
      then(gathered);
    }, gatherMs);
  };
}
