import { type CharSet, charSet, classEscapes, codes, unionOf } from './char-set.ts';
import { type Instruction, LinearMatcher } from './linear-matcher.ts';

/** A regular expression that is not one of ours; the sentence says what was expected. */
export class PatternError extends Error {}

/** A pattern that takes time no longer than its own length times the text's, whatever the text (F078). */
export interface LinearPattern {
  /** For the mark: `[redacted: name]`. */
  readonly name: string;
  readonly matcher: LinearMatcher;
}

/**
 * Reads the part of regular expressions that can be matched in linear time (Thompson's construction): characters, `.`,
 * `[classes]`, `\d \w \s \b` and their opposites, `( )`, `|`, `* + ? {n,m}`, `^ $`, and `(?i)` in front. Of several matches
 * from one place the longest counts.
 *
 * @throws PatternError for what cannot (look-around, references to groups), is too large, or fits an empty text.
 */
export function readLinearPattern(source: string, name = 'own pattern'): LinearPattern {
  const ignoresCase = source.startsWith('(?i)');
  const program = new Reader(ignoresCase ? source.slice(4) : source, ignoresCase).read();
  const matcher = new LinearMatcher(program);
  if (matcher.fitsNothing())
    throw new PatternError('it also fits an empty text: let it ask for at least one character');
  return { name, matcher };
}

/** A piece of program that goes on behind its end; jumps are counted from its own first instruction. */
type Piece = readonly Instruction[];

const instructionsMax = 4000;
const repeatsMax = 1000;

/** Recursive descent: alternatives of sequences of repeated atoms. */
class Reader {
  readonly #source: string;
  readonly #ignoresCase: boolean;
  #at = 0;

  constructor(source: string, ignoresCase: boolean) {
    this.#source = source;
    this.#ignoresCase = ignoresCase;
  }

  read(): readonly Instruction[] {
    const piece = this.#alternatives();
    if (this.#at < this.#source.length) throw new PatternError(`")" at ${this.#at + 1} closes nothing`);
    return [...piece, { kind: 'match' }];
  }

  #alternatives(): Piece {
    let piece = this.#sequence();
    while (this.#takes('|')) piece = either(piece, this.#sequence());
    return piece;
  }

  #sequence(): Piece {
    const pieces: Instruction[] = [];
    while (this.#at < this.#source.length && !this.#isNext('|') && !this.#isNext(')')) {
      pieces.push(...this.#repeated(this.#atom()));
      bounded(pieces.length);
    }
    return pieces;
  }

  #repeated(atom: Piece): Piece {
    const range = this.#quantifier();
    if (range === null) return atom;
    // Reluctance changes nothing where the longest counts.
    this.#takes('?');
    const [least, most] = range;
    bounded(atom.length * (most === Number.POSITIVE_INFINITY ? least + 1 : most));
    const needed = Array.from({ length: least }, () => atom).flat();
    if (most === Number.POSITIVE_INFINITY) return [...needed, ...anyTimes(atom)];
    let rest: Piece = [];
    for (let more = least; more < most; more += 1) {
      rest = optional([...atom, ...rest]);
      bounded(rest.length);
    }
    return [...needed, ...rest];
  }

  #quantifier(): readonly [number, number] | null {
    if (this.#takes('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#takes('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#takes('?')) return [0, 1];
    const braces = /^\{(\d{1,4})(?:(,)(\d{0,4}))?\}/.exec(this.#source.slice(this.#at, this.#at + 12));
    if (braces === null) return null;
    const [whole, least, comma, most] = braces;
    this.#at += whole.length;
    const from = Number(least);
    const to = comma === undefined ? from : most === '' ? Number.POSITIVE_INFINITY : Number(most);
    if (from > to) throw new PatternError(`${whole} goes from more to fewer`);
    if (from > repeatsMax || (to !== Number.POSITIVE_INFINITY && to > repeatsMax))
      throw new PatternError(`${whole} repeats more than ${repeatsMax} times`);
    return [from, to];
  }

  #atom(): Piece {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return one(this.#class());
      case '.':
        return one(charSet([[10, 10]], true));
      case '^':
        return [{ kind: 'assert', where: 'start' }];
      case '$':
        return [{ kind: 'assert', where: 'end' }];
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new PatternError(`"${character}" at ${this.#at} repeats nothing`);
      default:
        return one(this.#literal(character));
    }
  }

  #group(): Piece {
    if (this.#takes('?') && !this.#takes(':'))
      throw new PatternError('look-around and named groups cannot be matched in linear time: use plain ( ) or (?: )');
    const piece = this.#alternatives();
    if (!this.#takes(')')) throw new PatternError('a "(" is never closed');
    return piece;
  }

  #escape(): Piece {
    const character = this.#next();
    if (character === 'b' || character === 'B')
      return [{ kind: 'assert', where: character === 'b' ? 'edge' : 'noEdge' }];
    if (/[1-9k]/.test(character)) throw new PatternError('references to groups cannot be matched in linear time');
    return one(this.#escaped(character));
  }

  #class(): CharSet {
    const isNegated = this.#takes('^');
    const parts: CharSet[] = [];
    while (!this.#isNext(']')) {
      const first = this.#classMember();
      const [from] = codes(first);
      if (!this.#isNext('-') || this.#source[this.#at + 1] === ']' || from === undefined) {
        parts.push(first);
        continue;
      }
      this.#at += 1;
      const [to] = codes(this.#classMember());
      if (to === undefined || to < from) throw new PatternError('a range in [ ] goes from more to less');
      parts.push(charSet([[from, to]], false));
    }
    this.#at += 1;
    return unionOf(parts, { isNegated, ignoresCase: this.#ignoresCase });
  }

  #classMember(): CharSet {
    const character = this.#next();
    return character === '\\' ? this.#escaped(this.#next()) : charSet([codeRange(character)], false);
  }

  #escaped(character: string): CharSet {
    const known = classEscapes[character];
    if (known !== undefined) return known;
    const hex = character === 'x' ? 2 : character === 'u' ? 4 : 0;
    if (hex > 0) {
      const digits = this.#source.slice(this.#at, this.#at + hex);
      if (!new RegExp(`^[0-9a-fA-F]{${hex}}$`).test(digits))
        throw new PatternError(`\\${character} needs ${hex} hexadecimal digits`);
      this.#at += hex;
      return this.#literal(String.fromCharCode(Number.parseInt(digits, 16)));
    }
    if (/[A-Za-z0-9]/.test(character)) throw new PatternError(`\\${character} is not known here`);
    return this.#literal(character);
  }

  #literal(character: string): CharSet {
    return unionOf([charSet([codeRange(character)], false)], { isNegated: false, ignoresCase: this.#ignoresCase });
  }

  #next(): string {
    const character = this.#source[this.#at];
    if (character === undefined) throw new PatternError('it ends in the middle of something');
    this.#at += 1;
    return character;
  }

  #isNext(character: string): boolean {
    if (this.#at >= this.#source.length && character === ']') throw new PatternError('a "[" is never closed');
    return this.#source[this.#at] === character;
  }

  #takes(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}

function codeRange(character: string): readonly [number, number] {
  const code = character.charCodeAt(0);
  return [code, code];
}

function bounded(instructions: number): void {
  if (instructions > instructionsMax) throw new PatternError('it is too large: repeat less, or fewer characters');
}

function one(set: CharSet): Piece {
  return [{ kind: 'char', set }];
}

function either(first: Piece, second: Piece): Piece {
  return [
    { kind: 'split', to: [1, first.length + 2] },
    ...first,
    { kind: 'split', to: [second.length + 1, second.length + 1] },
    ...second,
  ];
}

function optional(piece: Piece): Piece {
  return [{ kind: 'split', to: [1, piece.length + 1] }, ...piece];
}

function anyTimes(piece: Piece): Piece {
  return [{ kind: 'split', to: [1, piece.length + 2] }, ...piece, { kind: 'split', to: [-piece.length, 1] }];
}
