import { parseDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { CliFailure } from './failure.ts';

/** `--since 15m` or `--since 2026-11-22T03:00:00Z` as an instant for the API. */
export function sinceInstant(text: string, now: number, flag = '--since'): string {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs > 0) return new Date(now - durationMs).toISOString();
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new CliFailure(
    'usage',
    `${flag} ${text}: expected a duration such as 15m, 2h or 7d, or an instant such as 2026-11-22T03:00:00Z`,
  );
}

/** `--limit N` */
export function limitNumber(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new CliFailure('usage', `--limit ${text}: expected a whole number above 0`);
}
