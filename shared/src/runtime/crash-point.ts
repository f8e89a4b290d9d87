export interface MortalProgram {
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  kill(pid: number, signal: string): unknown;
}

/** `RUNNERWATCH_CRASH_POINT=written:3`: for tests, the program dies by SIGKILL when the named moment comes for the third time. */
export function crashPoints(program: MortalProgram): (moment: string) => void {
  const [wanted, times = '1'] = program.env['RUNNERWATCH_CRASH_POINT']?.split(':') ?? [];
  let left = Number(times);
  return (moment) => {
    if (moment !== wanted) return;
    left -= 1;
    if (left === 0) program.kill(program.pid, 'SIGKILL');
  };
}
