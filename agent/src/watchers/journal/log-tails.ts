import { parseEntry } from './entry.ts';

export interface LogTailsOptions {
  readonly matches: (unit: string) => boolean;
  /** Lines kept for each run. */
  readonly lines: number;
  /** Characters kept for all runs together; the run silent for longest is forgotten first. */
  readonly maxChars?: number;
}

/**
 * The last log lines of each run, by invocation id or, without one, by unit. Lines are kept as they came and read only
 * when somebody asks, so that a flood of them costs two searches each.
 */
export class LogTails {
  readonly #matches: (unit: string) => boolean;
  readonly #lines: number;
  readonly #maxChars: number;
  readonly #tails = new Map<string, Tail>();
  #chars = 0;

  constructor({ matches, lines, maxChars = 4 * 1024 * 1024 }: LogTailsOptions) {
    this.#matches = matches;
    this.#lines = lines;
    this.#maxChars = maxChars;
  }

  get sizeChars(): number {
    return this.#chars;
  }

  /** One line of `journalctl -o json`. Within JSON text a quote is escaped, so a message cannot pretend to be a field. */
  add(line: string): void {
    // journald itself says how many lines of a unit it did not keep: that belongs among the unit's own.
    const prefix = isOfJournald(line) ? 'OBJECT' : '';
    const unit = rawField(line, `${prefix}_SYSTEMD_UNIT`);
    if (unit === null || !this.#matches(unit)) return;
    const key = rawField(line, `${prefix}_SYSTEMD_INVOCATION_ID`) ?? unit;
    const tail = this.#tails.get(key) ?? { lines: [], chars: 0, seen: 0 };
    // Moved to the end: the map's order is the order of the last words.
    this.#tails.delete(key);
    this.#tails.set(key, tail);
    const kept = line.length > longestLine ? '' : line;
    tail.lines.push(kept);
    tail.seen += 1;
    this.#count(tail, kept.length);
    while (tail.lines.length > this.#lines) this.#count(tail, -(tail.lines.shift()?.length ?? 0));
    this.#shrink();
  }

  /** Oldest first, as they were written: a message of several lines is several. Null when the run wrote nothing that we know of. */
  tailOf(key: string): readonly string[] | null {
    const tail = this.#tails.get(key);
    if (tail === undefined) return null;
    const messages = tail.lines.map((line) => (line === '' ? null : parseEntry(line)?.message) ?? tooLong);
    return messages.flatMap((message) => message.split('\n')).slice(-this.#lines);
  }

  /** How many lines of the run were seen, kept or not; null as above. */
  seenOf(key: string): number | null {
    return this.#tails.get(key)?.seen ?? null;
  }

  forget(key: string): void {
    const tail = this.#tails.get(key);
    if (tail === undefined) return;
    this.#tails.delete(key);
    this.#chars -= tail.chars;
  }

  #count(tail: Tail, chars: number): void {
    tail.chars += chars;
    this.#chars += chars;
  }

  #shrink(): void {
    while (this.#chars > this.#maxChars && this.#tails.size > 1) {
      for (const oldest of this.#tails.keys()) {
        this.forget(oldest);
        break;
      }
    }
  }
}

interface Tail {
  readonly lines: string[];
  chars: number;
  seen: number;
}

/** journalctl leaves out fields of 4096 bytes and more; an entry of ours never gets this long without something odd in it. */
const longestLine = 32 * 1024;
const tooLong = '[a line too long to be shown]';
/** SD_MESSAGE_JOURNAL_DROPPED: "Suppressed 1234 messages from train.service" (sd-messages.h; journald.conf(5), RateLimitBurst=). */
const droppedMessageId = 'a596d6fe7bfa4994828e72309e95d61e';

/** Anybody may write such an id, but only journald is its own driver. */
function isOfJournald(line: string): boolean {
  return line.includes(droppedMessageId) && rawField(line, '_TRANSPORT') === 'driver';
}

/** The value of a text field without escapes in it, as unit names and ids are; null when absent. */
export function rawField(line: string, name: string): string | null {
  const marker = `"${name}":"`;
  // journalctl writes `"A" : "b"` in old versions and `"A":"b"` in new ones.
  let start = line.indexOf(marker);
  let length = marker.length;
  if (start === -1) {
    const spaced = `"${name}" : "`;
    start = line.indexOf(spaced);
    length = spaced.length;
    if (start === -1) return null;
  }
  const end = line.indexOf('"', start + length);
  if (end === -1) return null;
  const value = line.slice(start + length, end);
  return value.includes('\\') ? unescaped(line.slice(start + length)) : value;
}

/** A unit name may hold an escaped backslash (`a\x2db.service` is `a\\x2db.service` in JSON). */
function unescaped(rest: string): string | null {
  const match = /^(?:[^"\\]|\\.)*/.exec(rest);
  try {
    const value: unknown = JSON.parse(`"${match?.[0] ?? ''}"`);
    return typeof value === 'string' ? value : null;
  } catch {
    return null; // no field of ours
  }
}
