import type { Notifier, NotifierDeps } from '../notifier.ts';
import { judgeEnd } from './judge.ts';
import { runProgram } from './program.ts';
import type { ExecSettings } from './settings.ts';

/** What a program needs to find its way, and nothing that is ours. */
const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ'] as const;

/** Runs a program of this machine for every notification: the public body is one line of JSON on its standard input. */
export function createExecNotifier(
  { command, timeout }: ExecSettings,
  { system, clock }: Pick<NotifierDeps, 'system' | 'clock'>,
): Notifier {
  const environment = Object.fromEntries(
    inherited.flatMap((name) => (system.env[name] === undefined ? [] : [[name, system.env[name]]])),
  );
  return {
    deliver: async (notification, { signal }) => {
      const input = `${JSON.stringify(notification)}\n`;
      return judgeEnd(
        await runProgram({ command, input, environment, timeoutMs: timeout, signal, kill: system.kill, clock }),
      );
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
