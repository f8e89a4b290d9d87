import type { IncomingMessage } from 'node:http';
import { EngineError } from './containers-client.ts';

/** One line of a stream of JSON objects may be so long; a container's labels come with each of its events. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const NEWLINE = 10;

export interface LineHandlers {
  readonly onLine: (line: string) => void;
  /** A line was longer than can be held and is lost. */
  readonly onLost: () => void;
}

/** Cuts a stream into lines. Memory stays bounded whatever comes: a line over the limit is passed over to its end. */
export function createLineCutter(
  { onLine, onLost }: LineHandlers,
  maxLineBytes = MAX_LINE_BYTES,
): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  let isTooLong = false;

  function add(piece: Buffer): void {
    sizeBytes += piece.length;
    if (sizeBytes <= maxLineBytes && !isTooLong) {
      parts.push(piece);
      return;
    }
    parts = [];
    isTooLong = true;
  }

  function endLine(): void {
    if (isTooLong) onLost();
    else if (sizeBytes > 0) onLine(Buffer.concat(parts).toString('utf8'));
    parts = [];
    sizeBytes = 0;
    isTooLong = false;
  }

  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      endLine();
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  };
}

/** Resolves when the stream has ended as it should; rejects when it breaks off or a handler throws; the stream is destroyed then. */
export function readLines(stream: IncomingMessage, handlers: LineHandlers): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = createLineCutter(handlers);
    stream.on('data', (chunk: Buffer) => {
      try {
        cut(chunk);
      } catch (error) {
        stream.destroy();
        reject(error);
      }
    });
    stream.on('error', (error) =>
      reject(
        error instanceof EngineError
          ? error
          : new EngineError('broken', 'the stream of events broke', { cause: error }),
      ),
    );
    stream.once('end', resolve);
    stream.once('close', () => reject(endedByEngine()));
  });
}

/** Resolves never: rejects when the stream ends, breaks, or a handler throws. */
export async function followLines(stream: IncomingMessage, handlers: LineHandlers): Promise<never> {
  await readLines(stream, handlers);
  throw endedByEngine();
}

const endedByEngine = () => new EngineError('broken', 'the engine ended the stream of events');
