/*
 * Exit codes of the commands that talk to a collector (documented in `runnerwatch --help`):
 *   0 done; for `check`: nothing wrong     2 cannot see: no collector answers there, or `check` was refused
 *   1 refused or failed; `check`: found    64 the command line was not understood (EX_USAGE of sysexits.h)
 */
export const cliExitCodes = { done: 0, failed: 1, found: 1, cannotSee: 2, usage: 64 } as const;

/** A failure told in one sentence that says what to do next. */
export class CliFailure extends Error {
  readonly exitCode: number;

  constructor(exit: keyof typeof cliExitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliFailure';
    this.exitCode = cliExitCodes[exit];
  }
}
