/*
 * Guessing is limited by address. What counts is how many different wrong tokens came from it within a minute, so that a script
 * that goes on with one removed token is no guesser. Once there are too many, every further wrong one hears so until the minute is
 * over. A right token is never refused: at 256 bits none is found by guessing, and whoever shares the address of a guesser must not
 * be locked out by him. All is decided within one turn: as many guesses at once as one likes are counted one by one.
 */

const windowMs = 60_000;
const guessesMax = 10;
/** Beyond it the address that began first is forgotten: memory is bounded. */
const addressesMax = 10_000;

interface Guesses {
  readonly since: number;
  readonly digests: Set<string>;
}

export class WrongTokens {
  /** The oldest first. */
  readonly #guesses = new Map<string, Guesses>();

  /** For how long a wrong token from this address hears that there were too many; 0: not now. Instants and durations are milliseconds. */
  waitMs(address: string, now: number): number {
    const guesses = this.#of(address, now);
    return guesses !== undefined && guesses.digests.size >= guessesMax ? guesses.since + windowMs - now : 0;
  }

  /** Notes a wrong token by its digest. True when this was the last before there are too many. */
  note(address: string, digest: string, now: number): boolean {
    const from = sourceOf(address);
    const guesses = this.#of(address, now) ?? { since: now, digests: new Set<string>() };
    this.#guesses.set(from, guesses);
    if (this.#guesses.size > addressesMax) this.#guesses.delete(this.#guesses.keys().next().value ?? from);
    const before = guesses.digests.size;
    guesses.digests.add(digest);
    return before < guessesMax && guesses.digests.size === guessesMax;
  }

  #of(address: string, now: number): Guesses | undefined {
    const from = sourceOf(address);
    const guesses = this.#guesses.get(from);
    if (guesses === undefined || now - guesses.since < windowMs) return guesses;
    this.#guesses.delete(from);
    return undefined;
  }
}

/** Of IPv6 the first 64 bits: whoever has one address of a network has them all (RFC 4291 section 2.5.4). */
function sourceOf(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!bare.includes(':')) return bare;
  const [head = '', tail] = bare.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...(tail ?? '').split(':')]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
