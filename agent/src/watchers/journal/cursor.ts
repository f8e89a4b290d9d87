/**
 * What a journal cursor says (sd_journal_get_cursor(3) calls it opaque; in every version so far it is
 * `s=` sequence id, `i=` sequence number, `b=` boot id, `m=` monotonic, `t=` wall clock µs, all hexadecimal).
 * Used only to count what is missing; seeking is journalctl's work.
 */
export interface CursorParts {
  readonly sequenceId: string;
  readonly sequence: number;
  readonly bootId: string;
  readonly at: number;
}

export function readCursor(cursor: string): CursorParts | null {
  const parts = new Map(cursor.split(';').map((part) => [part.slice(0, 1), part.slice(2)]));
  const [sequenceId, sequence, bootId, at] = ['s', 'i', 'b', 't'].map((key) => parts.get(key) ?? '');
  if (!isHex(sequenceId) || !isHex(sequence) || !isHex(bootId) || !isHex(at)) return null;
  return {
    sequenceId,
    sequence: Number.parseInt(sequence, 16),
    bootId,
    at: Math.floor(Number.parseInt(at, 16) / 1000),
  };
}

function isHex(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{1,32}$/.test(text);
}

/** The place to go on from, kept over restarts. */
export interface SavedPlace {
  readonly cursor: string;
  /** When it was noted, by the node's clock. */
  readonly savedAt: number;
}

export function writePlace(place: SavedPlace): string {
  return `${JSON.stringify({ version: 1, cursor: place.cursor, saved_at: place.savedAt })}\n`;
}

/** Null for anything {@link writePlace} did not write. */
export function readPlace(text: string): SavedPlace | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof raw !== 'object' || raw === null || !('cursor' in raw) || !('saved_at' in raw)) return null;
  const { cursor, saved_at: savedAt } = raw;
  if (typeof cursor !== 'string' || typeof savedAt !== 'number' || !Number.isFinite(savedAt)) return null;
  return { cursor, savedAt };
}

export type Resumption =
  /** Every entry since is there. */
  | { readonly kind: 'whole' }
  /** The oldest entry left is younger: `lost` entries were removed in between. */
  | { readonly kind: 'removed'; readonly lost: number }
  /** Another journal (other machine, journal files removed), or a place in the future: seek by time instead. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** A clock may have been set; more than this ahead of it is not ours to wait for. */
const toleratedFutureMs = 60_000;

/** Judges whether reading can go on at a saved place; `found` is the entry that is there now, null when there is none. */
export function judgeResumption(saved: SavedPlace, found: string | null, now: number): Resumption {
  const place = readCursor(saved.cursor);
  if (place === null) return { kind: 'foreign', reason: 'the saved place cannot be read' };
  if (place.at > now + toleratedFutureMs) return { kind: 'foreign', reason: 'the saved place lies in the future' };
  if (found === null) return { kind: 'foreign', reason: 'the journal does not know the saved place' };
  const here = readCursor(found);
  if (here === null || here.sequenceId !== place.sequenceId) {
    return { kind: 'foreign', reason: 'the saved place is from another journal' };
  }
  const lost = here.sequence - place.sequence - 1;
  return lost > 0 ? { kind: 'removed', lost } : { kind: 'whole' };
}
