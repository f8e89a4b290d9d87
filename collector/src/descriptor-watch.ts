import { open } from 'node:fs/promises';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';

export interface DescriptorWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Says when this process is out of file descriptors, and when that is over. Nobody else would: libuv closes connections that it
 * has no descriptor for without a word, and goes on.
 */
export function startDescriptorWatch({ clock, log, everyMs = 5000 }: DescriptorWatchOptions): AsyncDisposable {
  const stopping = new AbortController();
  const run = async () => {
    let wasOut = false;
    while (!stopping.signal.aborted) {
      const isOut = await isOutOfDescriptors();
      if (isOut && !wasOut)
        log.error('out of file descriptors: new connections are refused; raise LimitNOFILE= of the unit, or ulimit -n');
      if (!isOut && wasOut) log.info('there are file descriptors again');
      wasOut = isOut;
      await clock.sleep(everyMs, stopping.signal);
    }
  };
  const running = run();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** A connection takes one, and so does this. */
async function isOutOfDescriptors(): Promise<boolean> {
  try {
    const file = await open('/dev/null');
    await file.close();
    return false;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'EMFILE' || code === 'ENFILE';
  }
}
