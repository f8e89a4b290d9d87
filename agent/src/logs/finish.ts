import type { Redact } from '@runnerwatch/shared/redact/redact.ts';
import { cutText, neutralise, withoutHalfWord } from './neutralise.ts';
import { findTraceback } from './traceback.ts';

/** The last words of a task, as they may leave the node. */
export interface FinishedLog {
  /** Oldest first. */
  readonly tail: readonly string[];
  /** What says why it failed, out of all its last lines; null where nothing does. */
  readonly excerpt: readonly string[] | null;
  /** The one line of that which says it shortest: `ValueError: no weights in model.pt`. */
  readonly headline: string | null;
}

/** Nothing of it acts on a terminal, nothing of it is secret, and it has an end. */
export function finishLog(lines: readonly string[], redact: Redact): FinishedLog {
  const plain = redact(lines.map(harmless).join('\n')).split('\n');
  const found = findTraceback(plain);
  return {
    tail: lines.length === 0 ? [] : newest(plain.map((line) => cutText(line, lineChars))),
    excerpt: found === null ? null : found.lines.map((line) => cutText(line, excerptLineChars)),
    headline: found === null ? null : cutText(found.headline, excerptLineChars),
  };
}

/** A text of several lines that leaves the node: a command, a description, an error's message. */
export function finishText(text: string, redact: Redact): string {
  return redact(text.split('\n', textLines).map(harmless).join('\n'));
}

/** Of one line; of a whole log; of a line where it is told as the reason; of a command. */
const lineChars = 2_000;
const tailBytes = 64 * 1024;
const markBytes = 40;
const excerptLineChars = 500;
const textLines = 1_000;
/** What of a line is looked at: enough that a secret which begins in what is shown is seen whole. */
const readChars = 8_000;

function harmless(line: string): string {
  if (line.length <= readChars) return neutralise(line);
  const kept = withoutHalfWord(line.slice(0, readChars));
  return `${neutralise(kept)}… [${line.length - kept.length} more characters]`;
}

/** The newest lines that fit. */
function newest(lines: readonly string[]): string[] {
  let leftBytes = tailBytes;
  let from = lines.length;
  for (; from > 0; from -= 1) {
    leftBytes -= Buffer.byteLength(lines[from - 1] ?? '') + 1;
    if (leftBytes < markBytes && from > 1) break;
  }
  return from === 0 ? [...lines] : [`… [${from} earlier lines]`, ...lines.slice(from)];
}
