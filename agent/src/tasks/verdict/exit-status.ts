import { constants } from 'node:os';

/** How a process ended: with a code, or by a signal. */
export type ExitStatus =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string; readonly coreDumped: boolean };

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number as number, name]));
// Names that share a number: the common one.
for (const name of ['SIGABRT', 'SIGIO', 'SIGCHLD'] as const) names.set(constants.signals[name], name);

/** `SIGKILL` for 9; real-time and unknown numbers as `SIG34`. */
export function signalName(number: number): string {
  return names.get(number) ?? `SIG${number}`;
}

export function signalNumber(name: string): number | undefined {
  return [...names].find(([, one]) => one === name)?.[0];
}

/** A wait status as wait(2) gives it: signal in bits 0–6, core flag 0x80, code in bits 8–15. */
export function exitStatusOf(waitStatus: number): ExitStatus {
  const signal = waitStatus & 0x7f;
  if (signal === 0) return { kind: 'code', code: (waitStatus >> 8) & 0xff };
  return { kind: 'signal', signal: signalName(signal), coreDumped: (waitStatus & 0x80) !== 0 };
}

/** Signals a program brings on itself by a fault of its own; all others come from outside. */
export const ownFaults: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSYS',
  'SIGTRAP',
]);

/** `exit 3`, `SIGSEGV (core dumped)`. */
export function describeExit(status: ExitStatus): string {
  if (status.kind === 'code') return `exit ${status.code}`;
  return status.coreDumped ? `${status.signal} (core dumped)` : status.signal;
}
