import { type Instant, instant } from '@runnerwatch/shared/model/instant.ts';
import * as z from 'zod/mini';

/** Why people were told: the collector is out of reach, or says itself that it does not work; and what was heard of that last. */
const cause = z.object({ kind: z.enum(['unreachable', 'hindered']), reason: z.nullable(z.string()) });
export type Cause = z.infer<typeof cause>;

const told = z.object({
  key: z.string(),
  rank: z.int(),
  since: instant,
  cause,
  /** Whether the message came through; `perhaps` from before it is sent until the answer. */
  arrived: z.enum(['no', 'perhaps', 'yes']),
  /** What became of the all-clear: not ours to tell so far, ours, told by us. */
  end: z.enum(['open', 'ours', 'told']),
});
export type Told = z.infer<typeof told>;

const place = z.object({ key: z.string(), rank: z.int().check(z.gte(0)) });

const fallbackState = z.object({
  version: z.literal(1),
  /** Null: this agent is no deputy. */
  place: z.nullable(place),
  /** For how long, in milliseconds of this agent's waking life, there has been no working collector; since when by the wall clock. */
  alone_ms: z.number().check(z.gte(0)),
  alone_since: z.nullable(instant),
  /** When a working collector was last there, to the minute. */
  contact_at: z.nullable(instant),
  told: z.nullable(told),
});

export interface FallbackState {
  readonly place: { readonly key: string; readonly rank: number } | null;
  readonly aloneMs: number;
  readonly aloneSince: Instant | null;
  readonly contactAt: Instant | null;
  readonly told: Told | null;
}

export const nothingKept: FallbackState = { place: null, aloneMs: 0, aloneSince: null, contactAt: null, told: null };

/** What {@link textOf} wrote; {@link nothingKept} for anything else. */
export function readState(text: string | null): FallbackState {
  const parsed = fallbackState.safeParse(parseOrNull(text));
  if (!parsed.success) return nothingKept;
  const { place: kept, alone_ms: aloneMs, alone_since: aloneSince, contact_at: contactAt, told: said } = parsed.data;
  return { place: kept, aloneMs, aloneSince, contactAt, told: said };
}

export function textOf({ place: kept, aloneMs, aloneSince, contactAt, told: said }: FallbackState): string {
  const written: z.infer<typeof fallbackState> = {
    version: 1,
    place: kept,
    alone_ms: aloneMs,
    alone_since: aloneSince,
    contact_at: contactAt,
    told: said,
  };
  return `${JSON.stringify(written)}\n`;
}

function parseOrNull(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}
