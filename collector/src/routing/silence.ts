import { type Attributes, findMismatch, isLabelKey, type Matcher } from './matcher.ts';
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
  /** It came with the drain of a node, whose flag keeps things back. */
  readonly isDrain?: boolean;
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
    const until = silence.isDrain === true ? null : silentUntil(silence, now);
    if (until === null || (longest !== null && longest.until >= until)) continue;
    if (findMismatch(silence.matchers, attributes) === null) longest = { silence, until };
  }
  return longest;
}

/**
 * Whether matchers concern a node: they name it by name, id or labels, or conditions on whatever node. What they say of its tasks
 * besides may differ; what speaks of tasks alone concerns no node.
 */
export function concernsNode(
  matchers: readonly Matcher[],
  node: Required<Pick<Attributes, 'node' | 'node_id' | 'labels'>>,
): boolean {
  const ofNodes = matchers.filter(({ key }) => key === 'node' || isLabelKey(key));
  const areOfConditions = matchers.every(({ key }) => key === 'condition' || key === 'severity');
  return ofNodes.length === 0 ? areOfConditions : findMismatch(ofNodes, node) === null;
}

/** A message says that it comes after a silence for so long. */
export const afterSilenceMs = 86_400_000;

/** Of the silences that matched and are over since a day at most, the one that ended last. */
export function findSilenceBefore(
  silences: readonly Silence[],
  { attributes, now }: { attributes: Attributes; now: number },
): { readonly silence: Silence; readonly endedAt: number } | null {
  let last: { silence: Silence; endedAt: number } | null = null;
  for (const silence of silences) {
    const endedAt = lastEnd(silence, now);
    if (endedAt === null || now - endedAt > afterSilenceMs || (last !== null && last.endedAt >= endedAt)) continue;
    if (findMismatch(silence.matchers, attributes) === null) last = { silence, endedAt };
  }
  return last;
}

function lastEnd({ startsAt, endsAt, window }: Silence, now: number): number | null {
  const end = endsAt !== null && endsAt <= now ? endsAt : null;
  if (window === null) return end;
  const occurrence = window.before(end ?? now) ?? null;
  const inside = end === null ? null : window.around(end - 1);
  const endedAt = inside !== null ? end : (occurrence?.endAt ?? null);
  return endedAt !== null && endedAt > startsAt ? endedAt : null;
}

/** In words: who, until when, why. */
export function describeSilence({ author, reason }: Silence, until: number): string {
  const end = Number.isFinite(until) ? `until ${new Date(until).toISOString()}` : 'until it is ended';
  return `by ${author} ${end}: ${reason}`;
}
