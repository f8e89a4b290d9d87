import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { cliExitCodes } from '../failure.ts';
import { neutralise } from '../terminal.ts';
import { durationText } from '../words.ts';

interface TestRecord {
  readonly outcome?: string;
  readonly error?: string | null;
  readonly duration_ms?: number | null;
}

/** `notify test NAME`: a test notification through the real path. */
export function addNotifyCommands(program: Command, context: Context): void {
  const notify = program.command('notify').description('try out the ways to tell people');
  notify
    .command('test')
    .argument('<name>', "a notifier's name in collector.yaml")
    .description('send a test notification through the real path')
    .option(...jsonFlag)
    .action(async (name: string, { json }: JsonFlag) => {
      const answer = await context.client().post<TestRecord>(`/notifiers/${encodeURIComponent(name)}/test`);
      if (json) printJson(context, answer);
      const outcome = answer.outcome ?? 'unknown';
      if (!json) context.print(outcomeText(neutralise(name), outcome, answer));
      if (outcome !== 'delivered') context.exitWith(cliExitCodes.failed);
    });
}

function outcomeText(name: string, outcome: string, { error, duration_ms: durationMs }: TestRecord): string {
  if (outcome === 'delivered')
    return `${name} took the test notification${durationMs === null || durationMs === undefined ? '' : ` after ${durationText(durationMs)}`}\n`;
  const why = error ? `: ${neutralise(error)}` : '';
  return outcome === 'pending'
    ? `${name} has not answered yet${why}; \`runnerwatch deliveries\` shows how it goes on\n`
    : `${name} did not take the test notification${why}\n`;
}
