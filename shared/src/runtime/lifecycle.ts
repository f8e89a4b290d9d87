import { StartFailure } from './start-failure.ts';

/** The little of `process` that a program's life needs; `main.ts` hands in the real one. */
export interface ProcessFace {
  on(
    event: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'disconnect' | 'uncaughtException' | 'unhandledRejection',
    listener: (value: unknown) => void,
  ): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

export interface ProgramOptions {
  readonly name: string;
  /** Starts everything, in order; the signal aborts when the program is asked to end while it still starts. */
  readonly start: (signal: AbortSignal) => Promise<AsyncDisposable>;
  /** After this the process ends even if something will not stop. */
  readonly stopTimeoutMs?: number;
  /** A reload request (SIGHUP). */
  readonly onReload?: () => void;
}

/**
 * A program's life: start, run until SIGTERM or SIGINT, dispose, exit 0. A second signal ends it at once.
 * A {@link StartFailure} is told in one sentence and exits with its code; anything else is our fault and exits 70 with its stack.
 */
export async function runProgram(
  process: ProcessFace,
  { name, start, stopTimeoutMs = 9000, onReload }: ProgramOptions,
): Promise<void> {
  const stopping = new AbortController();
  const asked = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const onSignal = () => {
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
  };
  const die = (error: unknown) => {
    process.stderr.write(`runnerwatch ${name}: ${describe(error)}\n`);
    process.exit(error instanceof StartFailure ? error.exitCode : 70);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // Our parent (`runnerwatch up`) is gone.
  process.on('disconnect', () => stopping.abort());
  process.on('SIGHUP', () => onReload?.());
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  try {
    const running = await start(stopping.signal);
    await asked;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    await running[Symbol.asyncDispose]();
    process.exit(0);
  } catch (error) {
    die(error);
  }
}

function describe(error: unknown): string {
  if (error instanceof StartFailure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
