/** What a run needs of the process it lives in; main gives it. */
export interface Host {
  readonly pid: number;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  warn(text: string): void;
  print(text: string): void;
  onSignal(signal: NodeJS.Signals, handler: () => void): void;
  kill(pid: number, signal: NodeJS.Signals): void;
}

/** True when it was sent; false when there is no such process any more, or it is not ours to signal. */
export function tryKill(host: Host, pid: number, signal: NodeJS.Signals): boolean {
  try {
    host.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
