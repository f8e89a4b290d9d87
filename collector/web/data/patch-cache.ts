import type { Query, QueryClient } from '@tanstack/react-query';

/** An event of the live stream: `node`, `task` and `incident` with the record as its listing shows it, or `removed`. */
export interface Change {
  readonly name: string;
  readonly record: { readonly id: string; readonly kind?: string };
}

const listings: Readonly<Record<string, string>> = {
  'GET /nodes': 'node',
  'GET /fleet': 'node',
  'GET /tasks': 'task',
  'GET /incidents': 'incident',
};
const details: Readonly<Record<string, string>> = {
  'GET /nodes/{id}': 'node',
  'GET /tasks/{id}': 'task',
  'GET /incidents/{id}': 'incident',
};
/** Listings without events of their own, which change when nodes come and go. */
const followNodes: readonly string[] = ['GET /agents', 'GET /enrollments', 'GET /silences'];
/**
 * What a changed record may change besides is read again, at most so often: order and membership at once; counts, and what follows
 * from it, when that has had time to follow.
 */
const rereadMs = 1000;
/** By query, when its last reading began, or will begin. */
const reread = new WeakMap<Query, number>();

/** Puts changed records where they are on show, and has everything read again that follows from them. */
export function patchCache(client: QueryClient, changes: readonly Change[]): void {
  const byKind = new Map<string, Map<string, Change>>();
  for (const change of changes) {
    const kind = change.name === 'removed' ? (change.record.kind ?? '') : change.name;
    const ofKind = byKind.get(kind) ?? new Map<string, Change>();
    byKind.set(kind, ofKind.set(change.record.id, change));
  }
  const isMoreThanNodes = byKind.has('task') || byKind.has('incident');
  for (const query of client.getQueryCache().findAll()) {
    const route = String(query.queryKey[0]);
    const kind = listings[route] ?? details[route];
    const changed = byKind.get(kind ?? '');
    if (changed !== undefined) {
      const isDetail = details[route] !== undefined;
      const before = query.state.data;
      const { data, known } = isDetail ? patchRecord(before, changed) : patchListing(before, changed);
      if (data !== before) client.setQueryData(query.queryKey, data);
      if (isDetail ? data !== before : kind !== 'node' || known < changed.size) rereadSoon(client, query);
    } else if (kind === undefined && (isMoreThanNodes || followNodes.includes(route)))
      rereadSoon(client, query, rereadMs);
  }
}

interface Patched {
  readonly data: unknown;
  /** How many of the changed records were in it. */
  readonly known: number;
}

function patchListing(data: unknown, changed: ReadonlyMap<string, Change>): Patched {
  let known = 0;
  const patchPage = (page: { items: readonly { id: string }[] }) => {
    if (!page.items.some(({ id }) => changed.has(id))) return page;
    const items = page.items.flatMap((item) => {
      const change = changed.get(item.id);
      if (change === undefined) return [item];
      known += 1;
      return change.name === 'removed' ? [] : [change.record];
    });
    return { ...page, items };
  };
  if (isPages(data)) {
    const pages = data.pages.map(patchPage);
    return { data: known === 0 ? data : { ...data, pages }, known };
  }
  return isPage(data) ? { data: patchPage(data), known } : { data, known };
}

/** A detail holds more than the listing's record: what the listing does not say stays until it is read again. */
function patchRecord(data: unknown, changed: ReadonlyMap<string, Change>): Patched {
  const change = isRecord(data) ? changed.get(data.id) : undefined;
  if (change === undefined || change.name === 'removed') return { data, known: 0 };
  return { data: { ...(data as object), ...change.record }, known: 1 };
}

function rereadSoon(client: QueryClient, query: Query, leastMs = 0): void {
  const nowMs = performance.now();
  const lastMs = reread.get(query) ?? -rereadMs;
  if (lastMs > nowMs) return;
  const waitMs = Math.max(leastMs, lastMs + rereadMs - nowMs);
  reread.set(query, nowMs + waitMs);
  setTimeout(() => void client.invalidateQueries({ queryKey: query.queryKey, exact: true }), waitMs);
}

function isPages(data: unknown): data is { pages: { items: { id: string }[] }[] } {
  return typeof data === 'object' && data !== null && 'pages' in data;
}

function isPage(data: unknown): data is { items: { id: string }[] } {
  return typeof data === 'object' && data !== null && 'items' in data;
}

function isRecord(data: unknown): data is { id: string } {
  return typeof data === 'object' && data !== null && 'id' in data;
}
