import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { agentTemplate, collectorTemplate } from './config-templates.ts';
import { agentService, collectorService, collectorSocket, type UnitOptions } from './service-units.ts';
import { type GeneratedFile, type Written, writeFiles } from './write-files.ts';

/** Where this program runs, as the units will name it. */
export interface Installation {
  readonly node: string;
  readonly programs: string;
  readonly user: string;
  readonly path: string;
  readonly cwd: string;
  readonly print: (text: string) => void;
  /** Ends the command with exit 1 and this sentence. */
  readonly fail: (sentence: string) => never;
}

interface ServiceFlags {
  readonly host?: boolean;
  readonly runner?: boolean;
  readonly all?: boolean;
  readonly config?: string;
  readonly hostConfig?: string;
  readonly runnerConfig?: string;
  readonly outputDir: string;
  readonly instance?: string;
  readonly socket?: boolean;
  readonly user?: string;
  readonly force?: boolean;
}

/** `init service` and `init config`: writes the files a machine needs, and says what to type next. */
export function initCommands(here: Installation): Command {
  const init = new Command('init').description('write systemd units or configuration files');
  init
    .command('service')
    .description('write runnerwatch-collector.service (--host) and runnerwatch-agent.service (--runner)')
    .option('--host', 'the collector')
    .option('--runner', 'the agent')
    .option('--all', 'both')
    .option(
      '--config <path>',
      'configuration file of what is written (default /etc/runnerwatch/{collector,agent}.yaml)',
    )
    .option('--host-config <path>', 'configuration file of the collector, with --all')
    .option('--runner-config <path>', 'configuration file of the agent, with --all')
    .option('--output-dir <dir>', 'where to write', '.')
    .addOption(
      new Option('--instance <name>', 'a second one on the same node').argParser((name) => instanceName(name, here)),
    )
    .option('--socket', 'also runnerwatch-collector.socket: systemd holds the port while the collector restarts')
    .option('--user <user>', `who runs it (default: ${here.user}, who is typing)`)
    .option('--force', 'overwrite a file that was changed')
    .addHelpText('after', '\nExample:\n  runnerwatch init service --runner --output-dir /etc/systemd/system\n')
    .action((flags: ServiceFlags) => writeServices(flags, here));
  init
    .command('config')
    .description('write a commented collector.yaml (--host) or agent.yaml (--runner)')
    .option('--host', 'collector.yaml')
    .option('--runner', 'agent.yaml')
    .option('--output-dir <dir>', 'where to write', '.')
    .option('--force', 'overwrite a file that was changed')
    .action((flags: ServiceFlags) => writeConfigs(flags, here));
  return init;
}

function writeServices(flags: ServiceFlags, here: Installation): void {
  const host = flags.host === true || flags.all === true;
  const runner = flags.runner === true || flags.all === true;
  if (!host && !runner) here.fail('say which: --host (the collector), --runner (the agent) or --all');
  if (host && runner && flags.config !== undefined)
    here.fail('--config names one file: with two services use --host-config and --runner-config');
  const files: GeneratedFile[] = [];
  if (host) {
    const config = configPath(flags.hostConfig ?? flags.config ?? '/etc/runnerwatch/collector.yaml', here);
    const options = unitOptions(flags, config, here);
    files.push(collectorService({ ...options, socket: flags.socket === true }));
    if (flags.socket === true) files.push(collectorSocket('127.0.0.1:4777', flags.instance));
  }
  if (runner) {
    const config = configPath(flags.runnerConfig ?? flags.config ?? '/etc/runnerwatch/agent.yaml', here);
    files.push(agentService({ ...unitOptions(flags, config, here), extraGroups: agentGroups(flags, here) }));
  }
  const folder = resolve(here.cwd, flags.outputDir);
  report(writeFiles(folder, files, flags.force === true), here);
  const start = files.filter(
    ({ name }) => name.endsWith(flags.socket === true ? '.socket' : '.service') || name.startsWith('runnerwatch-agent'),
  );
  here.print(
    [
      '',
      'Next:',
      ...(folder === '/etc/systemd/system'
        ? []
        : [`  sudo cp ${files.map(({ name }) => resolve(folder, name)).join(' ')} /etc/systemd/system/`]),
      '  sudo systemctl daemon-reload',
      `  sudo systemctl enable --now ${start.map(({ name }) => name).join(' ')}`,
      `  journalctl -u ${start[0]?.name ?? ''} -f`,
      '',
    ].join('\n'),
  );
}

function writeConfigs(flags: ServiceFlags, here: Installation): void {
  const files: GeneratedFile[] = [
    ...(flags.host === true || flags.runner !== true ? [{ name: 'collector.yaml', content: collectorTemplate }] : []),
    ...(flags.runner === true || flags.host !== true ? [{ name: 'agent.yaml', content: agentTemplate }] : []),
  ];
  const folder = resolve(here.cwd, flags.outputDir);
  report(writeFiles(folder, files, flags.force === true), here);
  here.print(`\nNext: edit, then copy to /etc/runnerwatch/ or name the file with --config.\n`);
}

function report(results: readonly { path: string; outcome: Written }[], here: Installation): void {
  for (const { path, outcome } of results) {
    here.print(outcome === 'kept' ? `${path}: differs from what would be written, kept\n` : `${path}: ${outcome}\n`);
  }
  const kept = results.filter(({ outcome }) => outcome === 'kept');
  if (kept.length > 0)
    here.fail(`${kept.map(({ path }) => path).join(', ')} was changed by someone; --force overwrites it`);
}

function unitOptions(flags: ServiceFlags, config: string, here: Installation): UnitOptions {
  const user = flags.user ?? here.user;
  if (!/^[a-z_][\w-]*\$?$/i.test(user)) here.fail(`--user ${user}: not a user name`);
  return {
    node: here.node,
    programs: here.programs,
    config,
    user,
    group: user,
    extraGroups: [],
    path: here.path,
    instance: flags.instance,
  };
}

/** The configuration is read by absolute path, and must be there by the time the unit starts. */
function configPath(path: string, here: Installation): string {
  const absolute = isAbsolute(path) ? path : resolve(here.cwd, path);
  if (!existsSync(absolute)) {
    here.print(
      `note: ${absolute} is not there yet; "runnerwatch init config --output-dir ${dirname(absolute)}" writes one\n`,
    );
    return absolute;
  }
  try {
    accessSync(absolute, constants.R_OK);
  } catch {
    here.print(`note: ${absolute} cannot be read by this user; the service's user must be able to\n`);
  }
  return absolute;
}

function agentGroups(flags: ServiceFlags, here: Installation): string[] {
  if ((flags.user ?? here.user) === 'root') return [];
  const present = existsSync('/etc/group') ? readFileSync('/etc/group', 'utf8') : '';
  return ['systemd-journal', 'docker', 'podman'].filter((group) => new RegExp(`^${group}:`, 'm').test(present));
}

function instanceName(name: string, here: Installation): string {
  return /^[a-z0-9][a-z0-9-]*$/i.test(name) ? name : here.fail(`--instance ${name}: letters, digits and dashes only`);
}
