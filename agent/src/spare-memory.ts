import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';

/** By then the agent has started, and compiled what it goes on using. */
const FIRST_MS = 15_000;
const EVERY_MS = 5 * 60_000;

/**
 * Hands pages that the C library holds free back to the kernel, now and then (malloc_trim(3)). Compiling the program leaves
 * 4 MiB of them. Does nothing where the library is not glibc, or cannot be called.
 */
export function startTrimming(clock: Pick<Clock, 'sleep'>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const loop = run(clock, stopping.signal);
  return {
    stop() {
      stopping.abort();
      return loop;
    },
  };
}

async function run(clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<void> {
  await clock.sleep(FIRST_MS, signal);
  const trim = signal.aborted ? null : await loadTrim();
  while (trim !== null && !signal.aborted) {
    trim();
    await clock.sleep(EVERY_MS, signal);
  }
}

/** Returns whether memory was handed back; null where there is no such function. */
export async function loadTrim(): Promise<(() => boolean) | null> {
  try {
    const { default: koffi } = await import('koffi');
    const trim: (padBytes: number) => number = koffi.load(null).func('int malloc_trim(size_t)');
    return () => trim(0) === 1;
  } catch {
    return null;
  }
}
