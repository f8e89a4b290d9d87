import { parseArgs } from 'node:util';
import { StartFailure } from './start-failure.ts';

export interface ProgramArguments {
  readonly wantsHelp: boolean;
  /** Where the configuration is, and whether a person named it. */
  readonly file: { readonly path: string; readonly required: boolean };
}

/** The command line of a daemon of ours: `[--config FILE] [--help]`. @throws StartFailure when there is more. */
export function readProgramArguments(
  args: readonly string[],
  { program, defaultFile }: { program: string; defaultFile: string },
): ProgramArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
    const file = { path: values.config ?? defaultFile, required: values.config !== undefined };
    return { wantsHelp: values.help, file };
  } catch (error) {
    const [fault] = (error as Error).message.split('\n');
    throw new StartFailure('usage', `${fault}; see "runnerwatch ${program} --help"`, { cause: error });
  }
}
