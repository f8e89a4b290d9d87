import { type Block, tracebackKinds } from './traceback-kinds.ts';

/** Where a program said why it failed. */
export interface Traceback {
  /** The lines of it, without what a logger put before each, first to last. */
  readonly lines: readonly string[];
  /** The one that says what it was: `ValueError: no weights in model.pt`. */
  readonly headline: string;
}

/**
 * The traceback, panic or complaint in the last lines of a log that explains its end best: the last one told, a whole stack
 * before a single line, and never one that only passes on what failed before it. Streams and ranks that speak at once are
 * told apart by the mark before their lines.
 */
export function findTraceback(lines: readonly string[]): Traceback | null {
  let best: { readonly block: Block; readonly score: number; readonly texts: readonly string[] } | null = null;
  for (const rows of streamsOf(lines)) {
    const texts = rows.map(({ text }) => text);
    for (const { weight, ...kind } of tracebackKinds) {
      for (const block of kind.find(texts)) {
        const endAt = rows[block.to - 1]?.at ?? 0;
        const score = (isPassedOn.test(block.headline) ? weight - passedOnPenalty : weight) + endAt;
        if (best === null || score >= best.score) best = { block, score, texts };
      }
    }
  }
  if (best === null) return null;
  const { block, texts } = best;
  return { lines: shortened(texts.slice(block.from, block.to)), headline: block.headline.slice(0, headlineChars) };
}

const headlineChars = 1000;
/** Lines of a traceback that are worth telling: its end says more than its beginning. */
const [firstLines, lastLines] = [8, 22] as const;

/** Errors about the error of somebody else. */
const isPassedOn =
  /ChildFailedError|CalledProcessError|ProcessExitedException|ProcessRaisedException|make(?:\[\d+\])?: \*\*\*|collect2: |aborting due to|ERROR: Job failed/;
const passedOnPenalty = 100_000;

interface Row {
  readonly at: number;
  readonly text: string;
}

/** `stderr: ` of ours, `[rank0]: ` of PyTorch, `0: ` of srun --label. */
const mark = /^(?:stderr: )?(?:\[?(?:rank)?\d{1,4}\]?: ?|\(\w+ pid=\d+(?:, ip=[\d.]+)?\) )?/;

function streamsOf(lines: readonly string[]): Row[][] {
  const streams = new Map<string, Row[]>();
  for (const [at, line] of lines.entries()) {
    const [before = ''] = mark.exec(line) ?? [];
    const rows = streams.get(before.trimEnd()) ?? [];
    streams.set(before.trimEnd(), rows);
    rows.push({ at, text: line.slice(before.length) });
  }
  return [...streams.values()];
}

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= firstLines + lastLines + 1) return [...lines];
  const left = lines.length - firstLines - lastLines;
  return [...lines.slice(0, firstLines), `… [${left} lines]`, ...lines.slice(-lastLines)];
}
