import { type CharSet, isWordCode } from './char-set.ts';

/** `to` counts from the instruction itself. */
export type Instruction =
  | { readonly kind: 'char'; readonly set: CharSet }
  | { readonly kind: 'split'; readonly to: readonly [number, number] }
  | { readonly kind: 'assert'; readonly where: 'start' | 'end' | 'edge' | 'noEdge' }
  | { readonly kind: 'match' };

/**
 * Walks a text with all the ways a pattern can go at once (Pike's machine): each instruction is held at most once a
 * character, by the way that began first. Places of {@link matches} do not overlap; lines are matched one by one.
 */
export class LinearMatcher {
  readonly #program: readonly Instruction[];

  constructor(program: readonly Instruction[]) {
    this.#program = program;
  }

  fitsNothing(): boolean {
    return ['', 'a', 'a a'].some((text) =>
      Array.from({ length: text.length + 1 }).some((_, at) => this.#walk(text, at)?.[1] === at),
    );
  }

  /** Start and end of each, in order; none is empty. */
  *matches(text: string): Generator<readonly [number, number]> {
    for (let from = 0; from < text.length; ) {
      const found = this.#walk(text, from);
      if (found === null) return;
      yield found;
      from = Math.max(found[1], from + 1);
    }
  }

  #walk(text: string, from: number): readonly [number, number] | null {
    let ways = new Map<number, number>();
    let best: readonly [number, number] | null = null;
    for (let at = from; at <= text.length; at += 1) {
      // Ways that began later than what is found already cannot win.
      if (best === null) this.#enter(ways, { pc: 0, start: at, text, at });
      else if (ways.size === 0) return best;
      const next = new Map<number, number>();
      for (const [pc, start] of ways) {
        const instruction = this.#program[pc];
        if (instruction?.kind === 'match' && (best === null || start < best[0] || (start === best[0] && at > best[1])))
          best = [start, at];
        const takes = instruction?.kind === 'char' && at < text.length && instruction.set.has(text.charCodeAt(at));
        if (takes && (best === null || start <= best[0])) this.#enter(next, { pc: pc + 1, start, text, at: at + 1 });
      }
      ways = next;
    }
    return best;
  }

  /** Follows what takes no character. */
  #enter(
    ways: Map<number, number>,
    { pc, start, text, at }: { pc: number; start: number; text: string; at: number },
  ): void {
    const open = [pc];
    for (let here = open.pop(); here !== undefined; here = open.pop()) {
      const holder = ways.get(here);
      if (holder !== undefined && holder <= start) continue;
      ways.set(here, start);
      const instruction = this.#program[here];
      if (instruction?.kind === 'split') open.push(here + instruction.to[1], here + instruction.to[0]);
      else if (instruction?.kind === 'assert' && holds(instruction.where, text, at)) open.push(here + 1);
    }
  }
}

function holds(where: 'start' | 'end' | 'edge' | 'noEdge', text: string, at: number): boolean {
  if (where === 'start') return at === 0;
  if (where === 'end') return at === text.length;
  const isEdge = isWordAt(text, at - 1) !== isWordAt(text, at);
  return where === 'edge' ? isEdge : !isEdge;
}

function isWordAt(text: string, at: number): boolean {
  return at >= 0 && at < text.length && isWordCode(text.charCodeAt(at));
}
