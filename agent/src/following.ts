import { join } from 'node:path';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import type { Ground } from './ground.ts';
import { createHearing, type Hearing } from './hearing.ts';
import type { Hooks } from './hooks/hooks.ts';
import { createLogGrowth } from './log-growth.ts';
import { withoutSecrets } from './logs/without-secrets.ts';
import { Measuring } from './measuring.ts';
import { firstPidIn, readEnvironment } from './proc/environment.ts';
import { readPidDirectory } from './proc/pid-stat.ts';
import { RedirectedOutput } from './redirected-output.ts';
import { readSmallFile, replaceSmallFile } from './small-file.ts';
import type { Spooling } from './spooling.ts';
import { variablesOf } from './tasks/identify.ts';
import { Ledger } from './tasks/ledger.ts';
import type { LedgerOptions } from './tasks/ledger-options.ts';
import { ledgerState } from './tasks/ledger-state.ts';
import { tasksOnDisk } from './tasks-on-disk.ts';
import type { LogGrewAt } from './warnings/log-question.ts';

/** What follows runs of work from their beginning to their end. */
export interface Following {
  readonly ledger: Ledger;
  readonly hearing: Hearing;
  readonly measuring: Measuring;
  readonly logGrewAt: LogGrewAt;
}

/** Ledger and watchers know each other only through the functions they are given here. */
export async function createFollowing(
  ground: Ground,
  { spool, record, hooks }: Spooling & { readonly hooks: Hooks },
): Promise<Following> {
  const { config, system, folder, dataDir, node, bootId, cgroupRoot, redact, crashPoint, clock, log } = ground;
  const recorderLog = subsystem(log, 'agent:recorder');
  const measuring = new Measuring({ config: config.recorder, folder, cgroupRoot, clock, log: recorderLog });
  const output = createOutput(ground);
  const onDisk = await tasksOnDisk(spool, clock.wallMs());
  const ledger: Ledger = new Ledger({
    nodeId: node.id,
    bootId,
    rules: config.tasks.identify,
    write: async (body, atMs) => {
      const told = withoutSecrets(body, redact);
      await spool.append(told, atMs);
      hooks.take(told, atMs);
    },
    readUse: (cgroup) => measuring.readEnd(cgroup),
    takeRecording: (run, endedAt) => measuring.takeRecording(run, endedAt),
    diskOf: (run) => measuring.diskOf(run),
    ...lookInside(ground, output),
    redact,
    state: storedState(join(folder, 'ledger.json')),
    onDisk,
    ...askWatchers(() => hearing),
    clock,
    log: subsystem(log, 'agent:ledger'),
    crashPoint,
  });
  measuring.restore(ledger.open());
  const hearing: Hearing = createHearing({
    config: config.tasks,
    dataDir,
    folder,
    cgroupRoot,
    runtimeDir: system.env['XDG_RUNTIME_DIR'] ?? null,
    report: (sighting) => ledger.see(sighting),
    tell: (report) => record({ kind: 'condition', report }),
    onMainExit: (cgroup) => ledger.measure(cgroup),
    known: {
      since: ledger.lastSavedAt,
      engines: ledger.enginesHeard,
      told: onDisk.containers,
      containers: ledger
        .open()
        .flatMap(({ source: engine, handle: containerId, identity: { name }, startedAt, socketPath }) =>
          engine === 'docker' || engine === 'podman' ? [{ engine, containerId, name, startedAt, socketPath }] : [],
        ),
    },
    clock,
    log,
  });
  const logGrewAt = createLogGrowth({ cgroupRoot, output, hearing: () => hearing });
  return { ledger, hearing, measuring, logGrewAt };
}

function createOutput({ config, clock, log }: Ground): RedirectedOutput {
  return new RedirectedOutput({
    root: '/',
    lines: config.tasks.log_lines,
    templates: config.tasks.log_files,
    clock,
    log: subsystem(log, 'agent:output'),
  });
}

/** What is read out of a run's processes while they live. */
function lookInside(
  { config, cgroupRoot }: Ground,
  redirected: RedirectedOutput,
): Pick<LedgerOptions, 'readEnvironment' | 'directoryOf' | 'outputs'> {
  const variables = variablesOf(config.tasks.identify);
  const mainPidOf = ({ pid, cgroup }: { pid: number | null; cgroup: string | null }) =>
    pid ?? (cgroupRoot === null || cgroup === null ? null : firstPidIn(cgroupRoot, cgroup));
  return {
    readEnvironment: (run) => {
      const pid = mainPidOf(run);
      return pid === null ? {} : readEnvironment('/', pid, variables);
    },
    directoryOf: (run) => {
      const pid = mainPidOf(run);
      return pid === null ? null : readPidDirectory('/', pid);
    },
    outputs: {
      find: async (run) => {
        const pid = mainPidOf(run);
        return pid === null ? [] : redirected.find(pid);
      },
      named: (taskId, startedAt) => redirected.named(taskId, startedAt),
      read: (files) => redirected.read(files),
    },
  };
}

type Asked =
  | 'tailOf'
  | 'hurryJournal'
  | 'engines'
  | 'isSeeing'
  | 'exitsBlindness'
  | 'mainPidOf'
  | 'watchCgroup'
  | 'unwatchCgroup'
  | 'settled';

/** The watchers are made after the ledger that they report to. */
function askWatchers(hearing: () => Hearing): Pick<LedgerOptions, Asked> {
  return {
    tailOf: ({ unit, invocationId }) => {
      const { journal } = hearing();
      return (invocationId === null ? null : journal.tailOf(invocationId)) ?? journal.tailOf(unit);
    },
    engines: () =>
      hearing().containers.flatMap((watcher) => {
        const heard = watcher.heardUntil();
        return heard === null ? [] : [{ socket_path: watcher.socketPath, ...heard }];
      }),
    hurryJournal: () => hearing().journal.hurry(),
    isSeeing: (name, socketPath = null) => name === 'run' || hearing().isSeeing(name, socketPath),
    exitsBlindness: (at) => hearing().processExits.blindness(at),
    mainPidOf: (cgroup) => hearing().processExits.mainPidOf(cgroup),
    watchCgroup: (cgroup) => hearing().cgroupOom.watch(cgroup),
    unwatchCgroup: (cgroup) => hearing().cgroupOom.unwatch(cgroup),
    settled: (source, handle) => {
      if (source === 'run') hearing().inbox.settle(handle);
    },
  };
}

function storedState(file: string): LedgerOptions['state'] {
  return {
    load: () => {
      const parsed = ledgerState.safeParse(parseOrNull(readSmallFile(file)));
      return parsed.success ? parsed.data : null;
    },
    save: (state) => replaceSmallFile(file, JSON.stringify(state)),
  };
}

function parseOrNull(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
