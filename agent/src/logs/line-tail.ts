import { withoutHalfWord } from './neutralise.ts';

export interface LineTailOptions {
  readonly maxLines: number;
  readonly maxLineBytes: number;
  /** Of all lines together; the oldest go first. */
  readonly maxBytes: number;
}

/** One stream's bytes, of which the last lines are kept. */
export interface LineSink {
  push(chunk: Buffer): void;
  /** The rest without a line end is a line too. */
  end(): void;
}

const LF = 0x0a;

/** The last lines of what a task says, of several streams in the order of their arrival, as they were said. */
export class LineTail {
  readonly #options: LineTailOptions;
  readonly #lines: string[] = [];
  #bytes = 0;
  #pieces = 0;

  constructor(options: LineTailOptions) {
    this.#options = options;
  }

  /** How often something was said. */
  get pieces(): number {
    return this.#pieces;
  }

  lines(): string[] {
    return [...this.#lines];
  }

  /** Lines of this stream are kept with `mark` before them. */
  sink(mark: string): LineSink {
    const { maxLines, maxLineBytes } = this.#options;
    let head: Buffer[] = [];
    let headBytes = 0;
    let lineBytes = 0;
    const extend = (bytes: Buffer) => {
      lineBytes += bytes.length;
      const kept = bytes.subarray(0, maxLineBytes - headBytes);
      if (kept.length === 0) return;
      head.push(Buffer.from(kept));
      headBytes += kept.length;
    };
    const forget = () => {
      head = [];
      headBytes = 0;
      lineBytes = 0;
    };
    const finish = () => {
      this.#add(mark + lineOf(Buffer.concat(head), lineBytes));
      forget();
    };
    return {
      push: (chunk) => {
        this.#pieces += 1;
        let from = startOfLastLines(chunk, maxLines);
        if (from > 0) forget();
        for (let at = chunk.indexOf(LF, from); at >= 0; at = chunk.indexOf(LF, from)) {
          extend(chunk.subarray(from, at));
          finish();
          from = at + 1;
        }
        extend(chunk.subarray(from));
      },
      end: () => {
        if (lineBytes > 0) finish();
      },
    };
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    const { maxLines, maxBytes } = this.#options;
    while (this.#lines.length > maxLines || (this.#bytes > maxBytes && this.#lines.length > 1))
      this.#bytes -= this.#lines.shift()?.length ?? 0;
  }
}

/** Where the last `count` whole lines of the chunk begin; 0 when it holds no more than these. Only they are worth decoding. */
function startOfLastLines(chunk: Buffer, count: number): number {
  let at = chunk.length;
  for (let found = 0; found <= count; found++) {
    if (at === 0) return 0;
    at = chunk.lastIndexOf(LF, at - 1);
    if (at < 0) return 0;
  }
  return at + 1;
}

function lineOf(head: Buffer, lineBytes: number): string {
  const text = head.toString('utf8').replace(/\r$/, '');
  return lineBytes > head.length ? `${withoutHalfWord(text)}… [${lineBytes - head.length} more bytes]` : text;
}
