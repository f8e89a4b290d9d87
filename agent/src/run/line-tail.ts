export interface LineTailOptions {
  readonly maxLines: number;
  readonly maxLineBytes: number;
}

/** One stream's bytes, of which the last lines are kept. */
export interface LineSink {
  push(chunk: Buffer): void;
  /** The rest without a line end is a line too. */
  end(): void;
}

const LF = 0x0a;

/** The last lines of what a command says, of several streams in the order of their arrival. */
export class LineTail {
  readonly #options: LineTailOptions;
  #lines: string[] = [];

  constructor(options: LineTailOptions) {
    this.#options = options;
  }

  lines(): string[] {
    return this.#lines.slice(-this.#options.maxLines);
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
    const finish = () => {
      this.#add(mark + renderLine(Buffer.concat(head), lineBytes));
      head = [];
      headBytes = 0;
      lineBytes = 0;
    };
    return {
      push: (chunk) => {
        let from = 0;
        const skipTo = startOfLastLines(chunk, maxLines);
        if (skipTo > 0) {
          head = [];
          headBytes = 0;
          lineBytes = 0;
          from = skipTo;
        }
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
    if (this.#lines.length >= this.#options.maxLines * 2) this.#lines = this.lines();
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

/** A progress bar redraws its line with carriage returns: what stood there last counts. */
function renderLine(head: Buffer, lineBytes: number): string {
  const text = head.toString('utf8').replace(/\r+$/, '');
  const shown = text.slice(text.lastIndexOf('\r') + 1);
  return lineBytes > head.length ? `${shown}… [${lineBytes - head.length} more bytes]` : shown;
}
