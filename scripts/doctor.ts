/* `runnerwatch doctor`: looks at this machine as the agent and the collector would find it, and says what to mend. */
import { existsSync } from 'node:fs';
import { parseArgs, styleText } from 'node:util';
import { defaultConfigFile as runnerFile } from '@runnerwatch/agent/config.ts';
import { examineAgent } from '@runnerwatch/agent/doctor/doctor.ts';
import { defaultConfigFile as hostFile } from '@runnerwatch/collector/config.ts';
import { examineCollector } from '@runnerwatch/collector/doctor/doctor.ts';
import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { exitCodes } from '@runnerwatch/shared/runtime/start-failure.ts';

const help = `Usage: runnerwatch doctor [--host] [--runner] [--host-config FILE] [--runner-config FILE] [--json]

Looks at this machine as the agent and the collector would find it: configuration, rights, what each source of task ends
shows, reachability, large packets, TLS, clock, database, mail servers (as far as the log-in), the addresses of notifiers and their templates.
Says what is wrong and what to do about it. Changes nothing, sends nothing.

  --runner              only what the agent needs
  --host                only what the collector needs
                        (without either: what this machine has a configuration for, else both)
  --runner-config FILE  agent.yaml (default ${runnerFile} if there)
  --host-config FILE    collector.yaml (default ${hostFile} if there)
  --json                one document
  -h, --help

What is seen depends on the user: run it as the user of the service.
Exit codes: 0 nothing failed; 1 something did; 64 not understood.
`;

interface Part {
  readonly part: 'agent' | 'collector';
  readonly findings: readonly Finding[];
}

main().catch((error: unknown) => {
  process.stderr.write(`runnerwatch doctor: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(exitCodes.software);
});

async function main(): Promise<void> {
  const options = readOptions();
  const parts: Part[] = [];
  const uid = process.getuid?.() ?? 0;
  const environment = process.env;
  if (options.runner) {
    const config = { file: options.runnerConfig, environment };
    parts.push({ part: 'agent', findings: await examineAgent({ config, uid, clock: systemClock, root: '/' }) });
  }
  if (options.host) {
    const config = { file: options.hostConfig, environment };
    parts.push({ part: 'collector', findings: await examineCollector({ config, uid }) });
  }
  process.stdout.write(options.json ? `${JSON.stringify({ parts }, null, 2)}\n` : render(parts));
  const hasFailed = parts.some(({ findings }) => findings.some(({ result }) => result === 'failed'));
  process.exit(hasFailed ? 1 : 0);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        host: { type: 'boolean' },
        runner: { type: 'boolean' },
        'host-config': { type: 'string' },
        'runner-config': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const fileOf = (named: string | undefined, usual: string) => ({
      path: named ?? usual,
      required: named !== undefined,
    });
    const named = { host: values.host === true, runner: values.runner === true };
    const there = {
      host: values['host-config'] !== undefined || existsSync(hostFile),
      runner: values['runner-config'] !== undefined || existsSync(runnerFile),
    };
    const chosen = [named, there].find(({ host, runner }) => host || runner) ?? { host: true, runner: true };
    return {
      ...chosen,
      hostConfig: fileOf(values['host-config'], hostFile),
      runnerConfig: fileOf(values['runner-config'], runnerFile),
      json: values.json,
    };
  } catch (error) {
    const [sentence] = (error as Error).message.split('\n');
    process.stderr.write(`runnerwatch doctor: ${sentence}; see "runnerwatch doctor --help"\n`);
    process.exit(exitCodes.usage);
  }
}

const marks = {
  ok: { sign: '✓', colour: 'green' },
  warning: { sign: '!', colour: 'yellow' },
  failed: { sign: '✗', colour: 'red' },
  skipped: { sign: '–', colour: 'gray' },
} as const;

function render(parts: readonly Part[]): string {
  return `${parts.map(renderPart).join('\n')}\n${verdict(parts.flatMap(({ findings }) => findings))}\n`;
}

function renderPart({ part, findings }: Part): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, result, says, fix }) => [
    `  ${paint(marks[result].colour, marks[result].sign)} ${check.padEnd(width)}  ${says}`,
    ...(fix === null ? [] : [`    ${' '.repeat(width)}  → ${fix}`]),
  ]);
  return `${paint('bold', part)}\n${lines.join('\n')}\n`;
}

function verdict(findings: readonly Finding[]): string {
  const count = (result: Finding['result']) => findings.filter((finding) => finding.result === result).length;
  const [failed, warnings] = [count('failed'), count('warning')];
  if (failed + warnings === 0) return 'All is well.';
  return `${failed} failed, ${warnings} to look at, ${count('ok')} well.`;
}

function paint(format: 'bold' | (typeof marks)[keyof typeof marks]['colour'], text: string): string {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? styleText(format, text) : text;
}
