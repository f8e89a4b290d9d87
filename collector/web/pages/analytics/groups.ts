import { read } from '../../data/queries.ts';
import type { spans } from './search.ts';

export type Span = (typeof spans)[number];
/** Whose failures they are. */
export type By = 'cause' | 'project' | 'job' | 'node';

/** So many groups are shown. There are fewer causes than that: all of them make the sum. */
export const shownMax: Readonly<Record<By, number>> = { cause: 50, project: 10, job: 10, node: 10 };

const twice: Readonly<Record<Span, string>> = { '24h': '48h', '7d': '14d', '30d': '60d' };

/** Failures over the span that ends now, beside those over the one as long before it. */
export function readWorst(by: By, span: Span) {
  return read('GET /analytics/failures', { query: { by, since: span, before: twice[span], limit: shownMax[by] } });
}

/** Failures over the span, hour by hour or day by day. */
export function readTimes(by: 'hour' | 'day', span: Span) {
  return read('GET /analytics/failures', { query: { by, since: span, limit: 500 } });
}
