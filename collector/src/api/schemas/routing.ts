import { formatDuration, parseDuration } from '@runnerwatch/shared/runtime/duration.ts';
import * as z from 'zod';
import { isMatcherKey, type Matcher, matcherExpected, matchersOf } from '../../routing/matcher.ts';
import { windowRule } from '../../routing/window-rule.ts';
import { badRequest } from '../errors.ts';

/* What subscriptions and silences have in common in a request and in an answer. */

const pattern = z.string().min(1).max(500);

/** `{project: 'ml-*', node: ['a', 'b']}` */
export const writtenMatchers = z
  .record(z.string().max(200), z.union([pattern, z.array(pattern).min(1).max(200)]))
  .check((context) => {
    for (const key of Object.keys(context.value)) {
      if (!isMatcherKey(key))
        context.issues.push({ code: 'custom', path: [key], input: key, message: matcherExpected });
    }
  })
  .describe('A pattern or several for each key; `*` is any run of characters, `?` any one. All keys must fit.');

export function toMatchers(written: z.infer<typeof writtenMatchers>): Matcher[] {
  return matchersOf(written);
}

export const shownMatchers = z.record(z.string(), z.array(z.string()));

export function showMatchers(
  matchers: readonly { readonly key: string; readonly patterns: readonly string[] }[],
): z.infer<typeof shownMatchers> {
  return Object.fromEntries(matchers.map(({ key, patterns }) => [key, [...patterns]]));
}

/** A duration as text. */
export const writtenDuration = z
  .string()
  .max(40)
  .refine((text) => parseDuration(text) !== undefined, {
    error: 'expected a duration such as 30m, 8h or 7d; 0 is none',
  })
  .describe('A duration such as `30m`, `8h`, `7d`; `0` is none.');

export function toMs(duration: string): number {
  return parseDuration(duration) ?? 0;
}

export function showDuration(ms: number): string {
  return ms === 0 ? '0' : formatDuration(ms);
}

export const writtenInstant = z.iso.datetime({
  offset: true,
  error: 'expected an instant such as 2026-11-22T07:00:00Z',
});

/** When something ends: by its instant, after a time, or null for never. @throws ApiError when both are given, or it lies in the past. */
export function endOf(
  { ends_at: endsAt, for: duration }: { ends_at?: string | null | undefined; for?: string | undefined },
  { field, now }: { field: string; now: number },
): Date | null {
  if (typeof endsAt === 'string' && duration !== undefined) throw badRequest('for', `expected either for or ${field}`);
  const ms = duration === undefined ? 0 : toMs(duration);
  if (duration !== undefined) return ms === 0 ? null : new Date(now + ms);
  if (typeof endsAt !== 'string') return null;
  if (Date.parse(endsAt) <= now) throw badRequest(field, 'expected an instant that is still to come');
  return new Date(endsAt);
}

export { windowRule };
export const shownWindow = z.object({
  time_zone: z.string(),
  from: z.string(),
  to: z.string(),
  days: z.array(z.string()).optional(),
});

export const author = z.string().trim().min(1).max(200);
