import http, { type IncomingMessage } from 'node:http';
import { describeFailure } from '../proc/descriptors.ts';

/** Why the engine could not be asked. */
export type EngineFailure =
  | 'absent'
  | 'forbidden'
  | 'refused'
  | 'timeout'
  | 'too_big'
  | 'garbage'
  | 'status'
  | 'broken';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly failure: EngineFailure;
  /** The HTTP status, when the engine answered with another than 200. */
  readonly status: number | null;

  constructor(failure: EngineFailure, message: string, details: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.failure = failure;
    this.status = details.status ?? null;
  }
}

export interface EngineClientOptions {
  readonly socketPath: string;
  /** For the first byte of an answer, and again for all of a short one. */
  readonly timeoutMs?: number;
  readonly maxBodyBytes?: number;
}

/** Questions to a container engine over its unix socket (Docker Engine API; Podman answers to the same). */
export interface EngineClient {
  /** One short answer, parsed. Rejects with {@link EngineError}. */
  getJson(path: string): Promise<unknown>;
  /** One short answer as bytes. */
  getBytes(path: string): Promise<Buffer>;
  /** An answer without end; the caller destroys it. */
  openStream(path: string): Promise<IncomingMessage>;
  /** An answer that ends, read by `read`; rejects when nothing more comes for a while. */
  readStream(path: string, read: (stream: IncomingMessage) => Promise<void>): Promise<void>;
  /** Drops everything open. */
  close(): void;
}

/** So many short questions at once; more wait their turn. An engine holds back its answer about a container that it is starting, and the others must not wait for that. */
const MAX_SOCKETS = 32;

export function createEngineClient(options: EngineClientOptions): EngineClient {
  const { socketPath, timeoutMs = 5_000, maxBodyBytes = 16 * 1024 * 1024 } = options;
  const agent = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 1 });
  const open = new Set<{ destroy(error?: Error): unknown }>();

  function request(path: string, isStream: boolean): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = http.get({ socketPath, path, agent: isStream ? false : agent, headers: { host: 'localhost' } });
      let timer: NodeJS.Timeout | undefined;
      open.add(asked);
      // The time begins with the socket: waiting for a free one is not the engine's slowness.
      asked.once('socket', () => {
        timer = setTimeout(() => asked.destroy(timedOut(timeoutMs)), timeoutMs);
      });
      asked.once('response', (answer) => {
        clearTimeout(timer);
        open.add(answer);
        answer.once('close', () => open.delete(answer));
        resolve(answer);
      });
      asked.on('error', (error) => reject(toEngineError(error, socketPath)));
      asked.once('close', () => {
        clearTimeout(timer);
        open.delete(asked);
      });
    });
  }

  async function getBytes(path: string): Promise<Buffer> {
    const answer = await request(path, false);
    const bytes = await readBody(answer, { timeoutMs, maxBodyBytes });
    if (answer.statusCode !== 200) throw statusError(answer.statusCode ?? 0, bytes);
    return bytes;
  }

  async function openStream(path: string): Promise<IncomingMessage> {
    const answer = await request(path, true);
    if (answer.statusCode === 200) return answer;
    throw statusError(answer.statusCode ?? 0, await readBody(answer, { timeoutMs, maxBodyBytes }));
  }

  return {
    getBytes,
    async getJson(path) {
      return parseJson(await getBytes(path));
    },
    openStream,
    async readStream(path, read) {
      const answer = await openStream(path);
      const timer = setTimeout(() => answer.destroy(timedOut(timeoutMs)), timeoutMs);
      answer.on('data', () => timer.refresh());
      try {
        await read(answer);
      } finally {
        clearTimeout(timer);
        answer.destroy();
      }
    },
    close() {
      for (const one of open) one.destroy(new EngineError('broken', 'the watcher is stopping'));
      agent.destroy();
    },
  };
}

function readBody(answer: IncomingMessage, limits: { timeoutMs: number; maxBodyBytes: number }): Promise<Buffer> {
  const { timeoutMs, maxBodyBytes } = limits;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const timer = setTimeout(() => answer.destroy(timedOut(timeoutMs)), timeoutMs);
    answer.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBodyBytes) chunks.push(chunk);
      else answer.destroy(new EngineError('too_big', `the engine's answer is longer than ${maxBodyBytes} bytes`));
    });
    answer.once('end', () => resolve(Buffer.concat(chunks)));
    answer.on('error', (error) => reject(toEngineError(error, '')));
    answer.once('close', () => {
      clearTimeout(timer);
      // After 'end' this rejection finds the promise settled.
      reject(new EngineError('broken', 'the engine cut its answer short'));
    });
  });
}

/** Text from the engine as JSON; rejects what is none. */
export function parseJson(bytes: Buffer | string): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new EngineError('garbage', 'the engine answered something that is not JSON', { cause: error });
  }
}

const MAX_MESSAGE = 300;

function statusError(status: number, body: Buffer): EngineError {
  // What the engine says of an error is for people; control characters are not.
  const text = body
    .subarray(0, MAX_MESSAGE)
    .toString()
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return new EngineError('status', `the engine answered ${status}: ${text}`, { status });
}

function timedOut(timeoutMs: number): EngineError {
  return new EngineError('timeout', `the engine did not answer within ${timeoutMs} ms`);
}

const failures: Readonly<Record<string, EngineFailure>> = {
  ENOENT: 'absent',
  ENOTDIR: 'absent',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  ECONNREFUSED: 'refused',
  ENOTSOCK: 'refused',
};

function toEngineError(error: Error, socketPath: string): EngineError {
  if (error instanceof EngineError) return error;
  const failure = ('code' in error && failures[String(error.code)]) || 'broken';
  return new EngineError(failure, sentences[failure](socketPath, describeFailure(error)), { cause: error });
}

const sentences: Readonly<Record<EngineFailure, (socketPath: string, message: string) => string>> = {
  absent: (path) => `there is no socket at ${path}; it is looked for again`,
  forbidden: (path) => `no permission to use ${path}; run the agent as root or in the socket's group`,
  refused: (path) => `nobody answers at ${path}; start the container engine`,
  timeout: (_, message) => message,
  too_big: (_, message) => message,
  garbage: (_, message) => message,
  status: (_, message) => message,
  broken: (_, message) => `the connection to the engine broke: ${message}`,
};
