import { redactAssignments } from './assignments.ts';
import { isRandomWord, longWord } from './entropy.ts';
import type { LinearPattern } from './linear-pattern.ts';
import { redactPrivateKeys } from './private-keys.ts';
import { secretShapes } from './secrets.ts';

/** Text without its secrets: each replaced by what it was, `[redacted: github token]`. Done twice it does nothing more. */
export type Redact = (text: string) => string;

export interface RedactOptions {
  /** `redact.enabled`: off only by explicit setting. */
  readonly isEnabled: boolean;
  /** `redact.patterns`: what is a secret here, beside what is one everywhere. */
  readonly patterns: readonly LinearPattern[];
}

/**
 * Secrets of known shape first, then what a name gives away, then words that look drawn by lot. Names that are cut in two by
 * escape sequences or invisible marks are found only after `neutralise`.
 */
export function createRedact({ isEnabled, patterns }: RedactOptions): Redact {
  if (!isEnabled) return (text) => text;
  return (text) => {
    if (text.length < shortestSecret) return text;
    const shaped = redactShapes(redactPrivateKeys(redactPatterns(text, patterns), mark('private key')));
    return redactCards(redactWords(redactAssignments(shaped, mark)));
  };
}

/** `pwd=x`. */
const shortestSecret = 5;

function mark(kind: string): string {
  return `[redacted: ${kind}]`;
}

function redactPatterns(text: string, patterns: readonly LinearPattern[]): string {
  if (patterns.length === 0) return text;
  return text
    .split('\n')
    .map((line) => patterns.reduce(redactPattern, line))
    .join('\n');
}

function redactPattern(line: string, { name, matcher }: LinearPattern): string {
  const pieces: string[] = [];
  let done = 0;
  for (const [start, end] of matcher.matches(line)) {
    pieces.push(line.slice(done, start), mark(name));
    done = end;
  }
  return pieces.join('') + line.slice(done);
}

function redactShapes(text: string): string {
  const lower = text.toLowerCase();
  let redacted = text;
  for (const { name, hints, pattern } of secretShapes) {
    if (!hints.some((hint) => lower.includes(hint))) continue;
    redacted = redacted.replace(pattern, (_, kept: unknown) => (typeof kept === 'string' ? kept : '') + mark(name));
  }
  return redacted;
}

function redactWords(text: string): string {
  return text.replace(longWord, (word) => (isRandomWord(word) ? mark('random word') : word));
}

/** Thirteen to nineteen digits of an issuer in use, in one piece or in groups (ISO/IEC 7812). */
const cardNumber = /(?<![\w.-])(?:4|5[1-5]|2[2-7]|3[47]|6(?:011|5))(?:[ -]?\d){9,18}(?![\w-]|\.\d)/g;

function redactCards(text: string): string {
  return text.replace(cardNumber, (number) =>
    isCardNumber(number.replace(/[ -]/g, '')) ? mark('card number') : number,
  );
}

function isCardNumber(digits: string): boolean {
  const expected = digits.startsWith('3') ? [15] : digits.startsWith('4') ? [13, 16, 19] : [16];
  if (!expected.includes(digits.length)) return false;
  // Luhn: from the right, every second digit doubled, the digits' sum divisible by ten (ISO/IEC 7812-1, annex B).
  let sum = 0;
  for (const [index, digit] of digits.split('').toReversed().entries()) {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}
