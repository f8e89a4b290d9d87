import * as z from 'zod/mini';

/** RFC 3339 in UTC with milliseconds: `2026-11-22T03:54:34.123Z`. */
export const instant = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
export type Instant = z.infer<typeof instant>;

/** Milliseconds since the epoch as an {@link Instant}. */
export function toInstant(epochMs: number): Instant {
  return new Date(epochMs).toISOString();
}
