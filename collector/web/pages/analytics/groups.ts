import type { Routes } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import type { spans } from './search.ts';

export type Span = (typeof spans)[number];
export type Grouping = NonNullable<NonNullable<Routes['GET /analytics/failures']['query']>['by']>;

const twice: Readonly<Record<Span, string>> = { '24h': '48h', '7d': '14d', '30d': '60d' };

/** Failures over the span that ends now, or over the one as long before it. */
export function readGroups(by: Grouping, span: Span, which: 'now' | 'before' = 'now') {
  const time = which === 'now' ? { since: span } : { since: twice[span], until: span };
  return read('GET /analytics/failures', { query: { by, ...time, limit: 500 } });
}
