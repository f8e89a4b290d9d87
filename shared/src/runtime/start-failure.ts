/** Exit codes of our programs beside 0; the numbers are those of sysexits.h(3head). */
export const exitCodes = {
  usage: 64,
  dataTooNew: 65,
  unavailable: 69,
  software: 70,
  cannotWrite: 73,
  diskFull: 74,
  alreadyRunning: 75,
  noPermission: 77,
  config: 78,
} as const;

/** A start that cannot go on for a reason a person can cure. `message` is one sentence: what, where, what to do. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly exitCode: number;

  constructor(exit: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCodes[exit];
  }
}
