import type { Server } from 'node:http';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';

/** `host:port` of the configuration, an IPv6 host without its brackets. */
export function splitListen(listen: string): { host: string; port: number } {
  const at = listen.lastIndexOf(':');
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) };
}

/** First descriptor that a service manager passes (sd_listen_fds(3)). */
const firstPassedFd = 3;

/**
 * Opens the door: on the socket that systemd holds for us when it gave one, else on the configured address.
 * @throws StartFailure when the port is taken or not allowed.
 */
export async function listen(
  server: Server,
  listenAddress: string,
  { env, pid }: { env: Readonly<Record<string, string | undefined>>; pid: number },
): Promise<void> {
  const { host, port } = splitListen(listenAddress);
  const isPassed = Number(env['LISTEN_FDS'] ?? 0) >= 1 && env['LISTEN_PID'] === String(pid);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(isPassed ? { fd: firstPassedFd } : { host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    throw new StartFailure(
      'unavailable',
      `listen: ${listenAddress}: ${reasonOf(error as NodeJS.ErrnoException, port)}`,
      { cause: error },
    );
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is taken; stop what uses it, or choose another with listen (with "up": --port)';
    case 'EACCES':
      return `this user may not listen on port ${port}; choose one of 1024 or above`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address; use 127.0.0.1, or 0.0.0.0 for all';
    default:
      return message;
  }
}
