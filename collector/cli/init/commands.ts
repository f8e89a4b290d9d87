import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { Command, Option } from 'commander';
import * as z from 'zod/mini';
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
  readonly onFailure?: string;
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
      'configuration file of what is written (default /etc/runnerwatch/{collector,agent}.yaml; with --instance …-<name>.yaml)',
    )
    .option('--host-config <path>', 'configuration file of the collector, with --all')
    .option('--runner-config <path>', 'configuration file of the agent, with --all')
    .option('--output-dir <dir>', 'where to write', '.')
    .addOption(
      new Option('--instance <name>', 'a second one on the same node').argParser((name) => instanceName(name, here)),
    )
    .option('--socket', 'also runnerwatch-collector.socket: systemd holds the port while the collector restarts')
    .option('--user <user>', `who runs it (default: ${here.user}, who is typing)`)
    .option('--on-failure <units>', 'systemd units to start when it fails, such as email-admin@%n.service')
    .option('--force', 'overwrite a file that was changed')
    .addHelpText(
      'after',
      '\nExample:\n  runnerwatch init service --runner --output-dir /etc/systemd/system\n\nWhat stands in the units, and how to change it: docs/systemd.md\n',
    )
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
    const config = configPath(flags.hostConfig ?? flags.config ?? defaultConfig('collector', flags), here);
    const options = unitOptions(flags, config, here);
    files.push(collectorService({ ...options, socket: flags.socket === true }));
    if (flags.socket === true) files.push(collectorSocket(listenAddress(config, here), flags.instance));
  }
  if (runner) {
    const config = configPath(flags.runnerConfig ?? flags.config ?? defaultConfig('agent', flags), here);
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
      `  journalctl -u ${files[0]?.name ?? ''} -f`,
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
    onFailure: flags.onFailure === undefined ? undefined : unitNames(flags.onFailure, here),
  };
}

/** Two on one node need two files: state and port are apart. */
function defaultConfig(program: 'agent' | 'collector', { instance }: ServiceFlags): string {
  return `/etc/runnerwatch/${program}${instance === undefined ? '' : `-${instance}`}.yaml`;
}

const listenSchema = z.looseObject({ listen: z._default(field.text, '127.0.0.1:4777') });

/** Where the collector of that configuration listens: the socket that systemd holds for it is the same one. */
function listenAddress(config: string, here: Installation): string {
  try {
    return loadConfig(listenSchema, { file: { path: config, required: false }, environment: {} }).listen;
  } catch (error) {
    if (error instanceof StartFailure) return here.fail(error.message);
    throw error;
  }
}

/** See systemd.unit(5): names with specifiers, blanks between them. */
function unitNames(names: string, here: Installation): string {
  return /^[\w:.@%\\-]+( [\w:.@%\\-]+)*$/.test(names) ? names : here.fail(`--on-failure ${names}: not a list of units`);
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
