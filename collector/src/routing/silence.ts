import { type Attributes, findMismatch, type Matcher } from './matcher.ts';
import type { DailyWindow } from './window.ts';

/** A person's order: matching alerts notify nobody until a time. Instants in epoch milliseconds. */
export interface Silence {
  readonly id: string;
  readonly author: string;
  readonly reason: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: number;
  /** Null: until a person ends it. */
  readonly endsAt: number | null;
  /** Only within these hours. */
  readonly window: DailyWindow | null;
}

/** When the silence that holds at this instant ends; null when it does not hold, Infinity when no end is set. */
export function silentUntil({ startsAt, endsAt, window }: Silence, now: number): number | null {
  if (now < startsAt || (endsAt !== null && endsAt <= now)) return null;
  const end = endsAt ?? Number.POSITIVE_INFINITY;
  if (window === null) return end;
  const occurrence = window.around(now);
  return occurrence === null ? null : Math.min(occurrence.endAt, end);
}

/** Of the silences that hold and match, the one that lasts longest, so that its end is the end of the quiet. */
export function findSilence(
  silences: readonly Silence[],
  { attributes, now }: { attributes: Attributes; now: number },
): { readonly silence: Silence; readonly until: number } | null {
  let longest: { silence: Silence; until: number } | null = null;
  for (const silence of silences) {
    const until = silentUntil(silence, now);
    if (until === null || (longest !== null && longest.until >= until)) continue;
    if (findMismatch(silence.matchers, attributes) === null) longest = { silence, until };
  }
  return longest;
}

/** In words: who, until when, why. */
export function describeSilence({ author, reason }: Silence, until: number): string {
  const end = Number.isFinite(until) ? `until ${new Date(until).toISOString()}` : 'until it is ended';
  return `by ${author} ${end}: ${reason}`;
}
