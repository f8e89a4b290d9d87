import { Command, CommanderError } from 'commander';
import { type Client, createClient } from './client.ts';
import { addAnalyticsCommands } from './commands/analytics.ts';
import { addApplyCommand } from './commands/apply.ts';
import { addAskCommand } from './commands/ask.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCheckCommands } from './commands/check.ts';
import { addDeliveryCommands } from './commands/deliveries.ts';
import { addEnrollCommands } from './commands/enroll.ts';
import { addExplainCommands } from './commands/explain.ts';
import { addIncidentCommands } from './commands/incidents.ts';
import { addJobCommands } from './commands/jobs.ts';
import { addNodeCommands } from './commands/nodes.ts';
import { addNotifyCommands } from './commands/notify.ts';
import { addPeopleCommands } from './commands/people.ts';
import { addSilenceCommands } from './commands/silences.ts';
import { addStatusCommand } from './commands/status.ts';
import { addSubscriptionCommands } from './commands/subscriptions.ts';
import { addTaskCommands } from './commands/tasks.ts';
import { addWatchCommands } from './commands/watch.ts';
import type { Context } from './context.ts';
import { CliFailure, cliExitCodes } from './failure.ts';
import { type CliUser, defaultUrl, readSettings } from './settings.ts';
import { createStyle, neutralise, type Terminal } from './terminal.ts';

/** Where a command's words go. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
  /** Columns of the terminal; null without one. */
  readonly columns: number | null;
}

export interface ProgramParts extends CliUser {
  readonly io: Io;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly version: string;
}

export interface Program {
  /** Further commands can be added to it before it runs. */
  readonly command: Command;
  /** Runs one command line (without node and script) to its exit code. Never throws. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** Every command that talks to a collector. */
export function buildProgram(parts: ProgramParts): Program {
  const command = new Command('runnerwatch');
  let exitCode: number = cliExitCodes.done;
  const context = createContext(parts, {
    flags: () => command.opts<{ url?: string }>(),
    exitWith: (code) => {
      exitCode = code;
    },
  });
  command
    .description('Tells you within a second that a task ended and why, and that a node is in trouble or gone.')
    .version(parts.version, '-V, --version', 'print the version')
    .option('--url <url>', "the collector's address (RUNNERWATCH_URL)")
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('after', helpText);
  addProgramNames(command);
  addNodeCommands(command, context);
  addTaskCommands(command, context);
  addJobCommands(command, context);
  addIncidentCommands(command, context);
  addAnalyticsCommands(command, context);
  addExplainCommands(command, context);
  addSubscriptionCommands(command, context);
  addWatchCommands(command, context);
  addSilenceCommands(command, context);
  addApplyCommand(command, context);
  addDeliveryCommands(command, context);
  addCheckCommands(command, context);
  addNotifyCommands(command, context);
  addEnrollCommands(command, context);
  addPeopleCommands(command, context);
  addAuditCommand(command, context);
  addStatusCommand(command, context);
  addAskCommand(command, context);
  return {
    command,
    run: async (args) => {
      prepare(command, parts.io);
      try {
        await command.parseAsync([...args], { from: 'user' });
        return exitCode;
      } catch (error) {
        return tellFailure(error, parts.io);
      }
    },
  };
}

/** The programs that `runnerwatch` hands over to before it comes here: named for the help and for suggestions. */
function addProgramNames(command: Command): void {
  for (const [name, says] of [
    ['up', 'collector and agent for this machine, in one go'],
    ['run', 'run a command as a tracked task: run [--job NAME] -- CMD …'],
    ['collector', 'the collector alone'],
    ['agent', 'the agent alone'],
    ['doctor', 'check this installation, and say the fix for each finding'],
  ] as const) {
    command
      .command(name)
      .description(says)
      .helpOption(false)
      .allowUnknownOption()
      .argument('[arguments...]')
      .action(() => {
        throw new CliFailure('usage', `\`${name}\` comes first: runnerwatch ${name} …`);
      });
  }
}

const helpText = `
Examples:
  runnerwatch run -- sh -c 'exit 3'     run a command as a tracked task
  runnerwatch tasks --since 1h          what ended in the last hour, and why
  runnerwatch tasks show 3fa9c1         one task: verdict, evidence, advice, log
  runnerwatch incidents                 what is wrong now
  runnerwatch check tasks --since 15m   for cron: exit 1 and a report if a task failed

Which collector: --url, RUNNERWATCH_URL, ~/.config/runnerwatch/cli.yaml (url, token, token_file), or ${defaultUrl}.
Its token: RUNNERWATCH_API_TOKEN or cli.yaml; none is needed on the collector's own machine.

Exit codes: 0 done; 1 refused or failed, for check: found; 2 no collector answers; 64 not understood.
`;

function createContext(
  parts: ProgramParts,
  { flags, exitWith }: { flags: () => { url?: string }; exitWith: (code: number) => void },
): Context {
  const { io, env, fetch, now } = parts;
  const terminal: Terminal = {
    columns: io.isTerminal ? io.columns : null,
    hasColour: io.isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
  };
  let client: Client | undefined;
  return {
    client: () => (client ??= createClient({ settings: readSettings(parts, flags()), fetch })),
    print: io.out,
    printError: io.err,
    terminal,
    style: createStyle(terminal),
    now,
    exitWith,
  };
}

/** Also for commands that were added from outside: no command ends the process or writes past `io` by itself. */
function prepare(command: Command, io: Io): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      outputError: (text, write) => write(text.replace(/^error: /, 'runnerwatch: ')),
      getOutHelpWidth: () => io.columns ?? 100,
      getErrHelpWidth: () => io.columns ?? 100,
    })
    .showSuggestionAfterError(true)
    .showHelpAfterError('Add --help to see how it is used.');
  for (const child of command.commands) prepare(child, io);
}

function tellFailure(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? cliExitCodes.done : cliExitCodes.usage;
  if (error instanceof CliFailure) {
    io.err(`runnerwatch: ${neutralise(error.message)}\n`);
    return error.exitCode;
  }
  io.err(
    `runnerwatch: this is a fault of Runnerwatch: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 70;
}
