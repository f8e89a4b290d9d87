import { type Command, Option } from 'commander';
import { ApiRefusal } from '../client.ts';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { limitNumber } from '../instant.ts';
import { ownTimeZone } from '../matching.ts';
import type { ExpectationRecord } from '../records.ts';
import { renderFacts } from '../table.ts';

interface ExpectFlags extends JsonFlag {
  readonly every?: string;
  readonly schedule?: string;
  readonly timeZone?: string;
  readonly grace?: string;
  readonly maxRun?: string;
  readonly minRun?: string;
  readonly maxConcurrent?: number;
  readonly nothing?: boolean;
}

/** `jobs expect JOB`: shows, sets or takes back what is expected of a job. */
export function addJobCommands(program: Command, context: Context): void {
  program
    .command('jobs')
    .description('what is expected of jobs')
    .command('expect')
    .argument('<job>', 'a name, project/name, or a job id')
    .description(
      'say when its runs must start, how long they may take, how many at once; alone it shows what is expected',
    )
    .option('--every <duration>', 'a run starts so long after the last one: 24h')
    .option(
      '--schedule <cron>',
      'or at these times: "0 3 * * mon-fri" (minute, hour, day of month, month, day of week)',
    )
    .option('--time-zone <zone>', 'of --schedule (default: this machine)')
    .option('--grace <duration>', 'how late it may start; 5m when left out')
    .option('--max-run <duration>', 'a run takes no longer')
    .option('--min-run <duration>', 'a run that ends well takes no less')
    .addOption(new Option('--max-concurrent <count>', 'no more runs at once').argParser(limitNumber))
    .option('--nothing', 'expect nothing of it any more')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      '\nExamples:\n  runnerwatch jobs expect lm/backup --every 24h --grace 30m --max-run 2h\n  runnerwatch jobs expect lm/backup --schedule "0 3 * * *" --time-zone Europe/Berlin\n  runnerwatch jobs expect lm/backup --nothing\n',
    )
    .action((job: string, flags: ExpectFlags) => expect(context, job, flags));
}

async function expect(context: Context, job: string, flags: ExpectFlags): Promise<void> {
  const { json, nothing, ...limits } = flags;
  const path = `/jobs/${encodeURIComponent(job)}/expectation`;
  if (nothing) {
    await context.client().delete(path);
    if (json) return printJson(context, { job, expected: false });
    return context.print(`nothing is expected of ${job} any more\n`);
  }
  const found = await (Object.keys(limits).length === 0
    ? readOrNull(context, path)
    : context.client().put<ExpectationRecord>(path, {
        every: limits.every,
        schedule: limits.schedule,
        time_zone: limits.schedule === undefined ? limits.timeZone : (limits.timeZone ?? ownTimeZone()),
        grace: limits.grace,
        max_run: limits.maxRun,
        min_run: limits.minRun,
        max_concurrent: limits.maxConcurrent,
      }));
  if (json) return printJson(context, found);
  if (found === null) return context.print(`Nothing is expected of ${job}.\n`);
  context.print(`${job} is expected\n${renderFacts(factsOf(found), context.terminal)}`);
}

function factsOf(found: ExpectationRecord) {
  const { grace, next_at: next, max_run: max, min_run: min, max_concurrent: count } = found;
  const start = startText(found);
  return [
    ['to start', start === null ? null : `${start}, ${grace ?? '0'} late at most`],
    ['next at', next ?? null],
    ['to take', max === null || max === undefined ? null : `at most ${max}`],
    ['', min === null || min === undefined ? null : `at least ${min}`],
    ['to run', count === null || count === undefined ? null : `${count} at once at most`],
  ] as const;
}

function startText({ every, schedule, time_zone: zone }: ExpectationRecord): string | null {
  if (schedule !== null && schedule !== undefined) return `at ${schedule} ${zone ?? ''}`;
  return every === null || every === undefined ? null : `every ${every}`;
}

async function readOrNull(context: Context, path: string): Promise<ExpectationRecord | null> {
  try {
    return await context.client().get<ExpectationRecord>(path);
  } catch (error) {
    if (error instanceof ApiRefusal && error.code === 'not_found') return null;
    throw error;
  }
}
