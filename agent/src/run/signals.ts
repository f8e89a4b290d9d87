import { readKernelFile } from '../proc/kernel-file.ts';
import { type Host, tryKill } from './host.ts';

const passed: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGQUIT',
  'SIGCONT',
  'SIGTSTP',
  'SIGWINCH',
];
/** A terminal sends these to its whole foreground group: the command has them already, and twice is not the same as once. */
const fromKeyboard: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH']);

export interface SignalRelay {
  /** The command runs: what came before, and what comes from now on, goes to it. */
  to(pid: number): void;
}

/** Passes on the signals sent to us. Begins to listen at once: a signal before the command is there is kept for it. */
export function relaySignals(host: Host): SignalRelay {
  let target: number | undefined;
  const early: NodeJS.Signals[] = [];
  const pass = (signal: NodeJS.Signals) => {
    if (target === undefined) return void early.push(signal);
    const isDelivered = fromKeyboard.has(signal) && isForeground(host.pid);
    if (!isDelivered) tryKill(host, target, signal);
    // A listener replaces the default, which is to stop.
    if (signal === 'SIGTSTP') tryKill(host, host.pid, 'SIGSTOP');
  };
  for (const signal of passed) host.onSignal(signal, () => pass(signal));
  return {
    to: (pid) => {
      target = pid;
      for (const signal of early.splice(0)) tryKill(host, pid, signal);
    },
  };
}

/** Our process group (field 5 of /proc/PID/stat) is the one its terminal listens to (field 8; -1 without a terminal). */
function isForeground(pid: number): boolean {
  const text = readKernelFile('/', `/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return fields[2] !== undefined && fields[2] === fields[5];
}
