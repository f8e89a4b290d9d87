/* `runnerwatch up`: a collector on its embedded database and an agent for this machine, each in a process of its own, as in production. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import { defaultDataDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { exitCodes, StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';

const dist = dirname(fileURLToPath(import.meta.url));

/** A light heap; docs/decisions says what it saves. */
const agentFlags = ['--lite-mode', '--single-threaded', '--no-expose-wasm', '--max-semi-space-size=1'];

const defaultPort = 4777;

const help = `Usage: runnerwatch up [--port ${defaultPort}] [--data-dir DIR] [--config FILE] [--agent-config FILE]

Runs everything for this machine in one go: a collector on its embedded database,
an agent, and the dashboard. Ctrl-C stops it; started again it continues with all state.

  --port N            where the page and the API listen, on 127.0.0.1 (default ${defaultPort})
  --data-dir DIR      where state is kept (default ${userDataDir()})
  --config FILE       collector.yaml: who is told what (default /etc/runnerwatch/collector.yaml if there)
  --agent-config FILE agent.yaml: what is watched (default /etc/runnerwatch/agent.yaml if there)
  -v, --verbose       say more in the log
`;

interface UpOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly config: string | undefined;
  readonly agentConfig: string | undefined;
  readonly verbose: boolean;
}

main().catch((error: unknown) => {
  process.stderr.write(
    `runnerwatch up: ${error instanceof StartFailure ? error.message : String((error as Error).stack)}\n`,
  );
  process.exit(error instanceof StartFailure ? error.exitCode : exitCodes.software);
});

async function main(): Promise<void> {
  const options = readOptions();
  const startedAt = performance.now();
  await refuseTakenPort(options.port);
  const collector = supervise('collector', options, {
    args: [join(dist, 'collector.mjs')],
    environment: { RUNNERWATCH_LISTEN: `127.0.0.1:${options.port}` },
  });
  const url = `http://127.0.0.1:${options.port}`;
  const agent: { current: Supervised | undefined } = { current: undefined };
  stopOnSignals([() => agent.current, () => collector]);
  await ready(`${url}/readyz`, collector);
  agent.current = supervise('agent', options, {
    args: [...agentFlags, join(dist, 'agent.cjs')],
    environment: {
      RUNNERWATCH_COLLECTOR_URLS: url,
      RUNNERWATCH_TOKEN_FILE: join(options.dataDir, 'collector', 'agent.token'),
    },
  });
  const node = await thisNode(url, options, agent.current);
  process.stdout.write(greeting({ url, node, options, startedMs: performance.now() - startedAt }));
}

function readOptions(): UpOptions {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: String(defaultPort) },
        'data-dir': { type: 'string' },
        config: { type: 'string' },
        'agent-config': { type: 'string' },
        verbose: { type: 'boolean', short: 'v', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`--port ${values.port}: expected a port from 1 to 65535`);
    return {
      port,
      dataDir: resolve(values['data-dir'] ?? process.env['RUNNERWATCH_DATA_DIR'] ?? userDataDir()),
      config: values.config,
      agentConfig: values['agent-config'],
      verbose: values.verbose,
    };
  } catch (error) {
    throw new StartFailure('usage', `${(error as Error).message.split('\n')[0]}; see "runnerwatch up --help"`, {
      cause: error,
    });
  }
}

/** Whoever has the port would answer in place of our collector, which finds that out seconds later. */
async function refuseTakenPort(port: number): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return;
    const says = `port ${port} of this machine is taken; stop what uses it, or choose another with --port`;
    throw new StartFailure('unavailable', says, { cause: error });
  }
  probe.close();
  await once(probe, 'close');
}

function userDataDir(): string {
  return defaultDataDir({ uid: process.getuid?.() ?? 0, home: homedir(), xdgStateHome: process.env['XDG_STATE_HOME'] });
}

interface Supervised {
  readonly name: string;
  stop(): Promise<void>;
}

/** Runs a program of ours and starts it again when it dies; a fault of configuration ends everything with that fault's code. */
function supervise(
  name: 'agent' | 'collector',
  options: UpOptions,
  { args, environment }: { args: readonly string[]; environment: Record<string, string> },
): Supervised {
  let child: ChildProcess | undefined;
  let stopping = false;
  let ended: Promise<void> = Promise.resolve();
  const configured = name === 'agent' ? options.agentConfig : options.config;
  const start = () => {
    const running = spawn(process.execPath, configured === undefined ? args : [...args, '--config', configured], {
      // A group of its own: Ctrl-C reaches this process alone, which stops the agent before the collector. The channel tells it if we die.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        ...process.env,
        RUNNERWATCH_DATA_DIR: options.dataDir,
        RUNNERWATCH_LOG_FORMAT: process.env['RUNNERWATCH_LOG_FORMAT'] ?? 'text',
        RUNNERWATCH_LOG_LEVEL: process.env['RUNNERWATCH_LOG_LEVEL'] ?? (options.verbose ? 'debug' : 'warn'),
        ...environment,
      },
    });
    child = running;
    ended = new Promise((resolveEnd) => {
      running.on('error', (error) =>
        process.stderr.write(`runnerwatch up: ${name} cannot be started: ${error.message}\n`),
      );
      running.on('close', (code, signal) => {
        resolveEnd();
        if (!stopping) onDeath(code, signal);
      });
    });
  };
  const onDeath = (code: number | null, signal: string | null) => {
    if (code !== null && code >= exitCodes.usage && code <= exitCodes.config && code !== exitCodes.software)
      process.exit(code);
    process.stderr.write(`runnerwatch up: ${name} ended (${signal ?? `exit ${code}`}); starting it again\n`);
    setTimeout(() => stopping || start(), 1000);
  };
  start();
  return {
    name,
    stop: () => {
      stopping = true;
      if (child?.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Agent first, so that its goodbye is heard; then the collector. A second Ctrl-C does not wait. */
function stopOnSignals(inOrder: readonly (() => Supervised | undefined)[]): void {
  let asked = false;
  const stop = async () => {
    if (asked) process.exit(130);
    asked = true;
    process.stdout.write('\nstopping …\n');
    for (const program of inOrder) await program()?.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

async function ready(url: string, collector: Supervised): Promise<void> {
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 50) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolveWait) => setTimeout(resolveWait, 50));
  }
  await collector.stop();
  throw new StartFailure(
    'unavailable',
    'the collector did not become ready within a minute; run "runnerwatch up --verbose" to see why',
  );
}

interface ThisNode {
  readonly name: string;
  readonly sources: readonly SourceState[];
}

/** What the agent of this machine told the collector about itself; undefined when it has not arrived within ten seconds. */
async function thisNode(url: string, { dataDir }: UpOptions, agent: Supervised): Promise<ThisNode | undefined> {
  const tokenFile = join(dataDir, 'collector', 'api.token');
  const headers = existsSync(tokenFile) ? { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` } : {};
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    const answer = await fetch(`${url}/api/v1/nodes`, { headers }).catch(() => undefined);
    const { items = [] } = answer?.ok ? ((await answer.json()) as { items?: (ThisNode & { status: string })[] }) : {};
    const online = items.find((node) => node.status === 'online');
    if (online) return online;
    await new Promise((resolveWait) => setTimeout(resolveWait, 50));
  }
  process.stderr.write(`runnerwatch up: the ${agent.name} has not reached the collector yet; it goes on trying\n`);
  return undefined;
}

function greeting({
  url,
  node,
  options,
  startedMs,
}: {
  url: string;
  node: ThisNode | undefined;
  options: UpOptions;
  startedMs: number;
}): string {
  const seen = node?.sources.filter((source) => source.state === 'seeing') ?? [];
  const unseen = node?.sources.filter((source) => source.state !== 'seeing') ?? [];
  const lines = [
    '',
    `  Runnerwatch is up after ${(startedMs / 1000).toFixed(1)} s.`,
    '',
    `  Dashboard   ${url}/`,
    `  API         ${url}/api/docs`,
    `  State       ${options.dataDir}`,
    '',
    ...(node ? [`  ${node.name} is watched: ${seen.map((source) => source.name).join(', ') || 'nothing yet'}`] : []),
    ...unseen.map((source) => `    not ${source.name}: ${source.reason ?? source.state}`),
    '',
    `  Try it:     npx runnerwatch run -- sh -c 'echo oh no; exit 3'`,
    `  then:       npx runnerwatch ${options.port === defaultPort ? '' : `--url ${url} `}tasks`,
    ...(existsSync('/etc/runnerwatch/collector.yaml') || options.config
      ? []
      : ['  Tell someone: npx runnerwatch init config --host, then notifications.notifiers in collector.yaml']),
    '',
    '',
  ];
  return lines.join('\n');
}
