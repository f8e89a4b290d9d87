import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { cliExitCodes } from '../failure.ts';
import { neutralise } from '../terminal.ts';
import { durationText } from '../words.ts';

interface TestRecord {
  readonly outcome?: string;
  readonly error?: string | null;
  readonly note?: string | null;
  readonly duration_ms?: number | null;
}

interface PreviewRecord {
  readonly subject?: string | null;
  readonly text?: string;
  readonly note?: string | null;
}

/** `notify test NAME`: a test notification through the real path. `notify preview NAME`: what it would say. */
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
  notify
    .command('preview')
    .argument('<name>', "a notifier's name in collector.yaml")
    .description('show what it would send of a past notification (the last one), and send nothing')
    .option('--delivery <id>', 'of this one; see `runnerwatch deliveries`')
    .option(...jsonFlag)
    .action(async (name: string, { json, delivery }: JsonFlag & { delivery?: string }) => {
      const path = `/notifiers/${encodeURIComponent(name)}/preview`;
      const answer = await context.client().post<PreviewRecord>(path, { notification_id: delivery });
      if (json) printJson(context, answer);
      else context.print(previewText(answer));
    });
}

function outcomeText(name: string, outcome: string, { error, note, duration_ms: durationMs }: TestRecord): string {
  const remark = note ? `, but ${neutralise(note)}` : '';
  if (outcome === 'delivered')
    return `${name} took the test notification${durationMs === null || durationMs === undefined ? '' : ` after ${durationText(durationMs)}`}${remark}\n`;
  const why = error ? `: ${neutralise(error)}` : '';
  return outcome === 'pending'
    ? `${name} has not answered yet${why}; \`runnerwatch deliveries\` shows how it goes on\n`
    : `${name} did not take the test notification${why}\n`;
}

function previewText({ subject, text = '', note }: PreviewRecord): string {
  const head = subject ? `Subject: ${neutralise(subject)}\n\n` : '';
  const remark = note ? `(${neutralise(note)})\n\n` : '';
  return `${remark}${head}${text.trimEnd().split('\n').map(neutralise).join('\n')}\n`;
}
