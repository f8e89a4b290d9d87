import { join } from 'node:path';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import type { Logger } from 'pino';
import { BlindSources } from './blind-sources.ts';
import type { AgentConfig } from './config.ts';
import { lookAtLimit } from './proc/descriptors.ts';
import { firingFile } from './samplers/firing-file.ts';
import { readSmallFile, replaceSmallFile } from './small-file.ts';
import type { EngineHeard } from './tasks/ledger-state.ts';
import { type CgroupOomWatcher, createCgroupOomWatcher } from './watchers/cgroup-oom.ts';
import { type ContainersWatcher, createContainersWatcher, type KnownContainer } from './watchers/containers.ts';
import { findContainerSockets, isSameSocket, socketAt } from './watchers/containers-sockets.ts';
import { createInboxWatcher, type InboxWatcher } from './watchers/inbox.ts';
import { createJournalWatcher, type JournalWatcher } from './watchers/journal.ts';
import { createProcessExitsWatcher, type ProcessExitsWatcher } from './watchers/process-exits.ts';
import { defaultUnitExclude, defaultUnitInclude } from './watchers/systemd/unit-globs.ts';
import { createSystemdWatcher, type SystemdUnitsWatcher } from './watchers/systemd.ts';
import type { ContainerRunTimes, Report, Watcher } from './watchers/watcher.ts';

export interface HearingOptions {
  readonly config: AgentConfig['tasks'];
  readonly dataDir: string;
  /** The agent's own folder. */
  readonly folder: string;
  readonly cgroupRoot: string | null;
  readonly runtimeDir: string | null;
  readonly report: Report;
  /** A source fell silent, or is heard again. */
  readonly tell: (report: ConditionReport) => void;
  readonly onMainExit: (cgroup: string) => void;
  /** What ran when the agent last wrote it down. */
  readonly known: {
    readonly since: number | null;
    readonly engines: readonly EngineHeard[];
    /** By the container's id. */
    readonly told: ReadonlyMap<string, ContainerRunTimes>;
    /** Whose socket is null is of whatever engine of its kind. */
    readonly containers: readonly (KnownContainer & { readonly socketPath: string | null })[];
  };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Every watcher of this node, by what they are asked for later. */
export interface Hearing {
  readonly watchers: readonly Watcher[];
  readonly processExits: ProcessExitsWatcher;
  readonly cgroupOom: CgroupOomWatcher;
  readonly journal: JournalWatcher;
  readonly systemd: SystemdUnitsWatcher;
  readonly inbox: InboxWatcher;
  /** One for each engine's socket. */
  readonly containers: readonly ContainersWatcher[];
  /** Starts all; resolves when each has listed what there is or knows that it cannot. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  states(): SourceState[];
  /** Whether the watcher of this name, or of this socket where one is given, hears anything at this moment. */
  isSeeing(name: string, socketPath: string | null): boolean;
}

/** Makes the watchers and fixes their order: process ends first, so that no end is earlier than its witness. */
export function createHearing(options: HearingOptions): Hearing {
  const { config, dataDir, folder, cgroupRoot, clock, log } = options;
  const blind = new BlindSources({
    tell: options.tell,
    firing: firingFile(join(folder, 'blind-sources.json'), subsystem(log, 'agent:hearing')),
    clock,
  });
  const report: Report = (sighting) => {
    if (sighting.kind === 'state_changed') see(sighting.state);
    options.report(sighting);
  };
  const see = (state: SourceState) =>
    blind.see(state, { isShort: state.name === processExits.name && processExits.isShort() });
  const units = {
    include: config.systemd.include ?? defaultUnitInclude,
    exclude: config.systemd.exclude ?? defaultUnitExclude,
  };
  const processExits = createProcessExitsWatcher({
    root: '/',
    cgroupRoot,
    report,
    clock,
    log: subsystem(log, 'agent:process-exits'),
    onMainExit: options.onMainExit,
  });
  const cgroupOom = createCgroupOomWatcher({ cgroupRoot, report, clock, log: subsystem(log, 'agent:cgroup-oom') });
  const cursorFile = join(folder, 'journal.json');
  const journal = createJournalWatcher({
    report,
    ...units,
    logLines: config.log_lines,
    cursor: { load: async () => readSmallFile(cursorFile), save: (text) => replaceSmallFile(cursorFile, text) },
    clock,
    log: subsystem(log, 'agent:journal'),
  });
  const systemd = createSystemdWatcher({ report, ...units, clock, log: subsystem(log, 'agent:systemd') });
  const inbox = createInboxWatcher({
    root: '/',
    dataDir,
    logLines: config.log_lines,
    report,
    clock,
    log: subsystem(log, 'agent:inbox'),
    follow: (pid, startTicks, onExit) => processExits.follow(pid, startTicks, onExit),
    unfollow: (pid) => processExits.unfollow(pid),
  });
  const containers = containerWatchers({ ...options, report });
  const watchers = [processExits, cgroupOom, systemd, journal, ...containers, inbox];
  const checking = checks({ watchers, systemd, processExits, blind, see });
  return {
    watchers,
    processExits,
    cgroupOom,
    journal,
    systemd,
    inbox,
    containers,
    start: async (signal) => {
      await processExits.start(signal);
      await Promise.all(watchers.filter((watcher) => watcher !== processExits).map((watcher) => watcher.start(signal)));
      checking.start();
    },
    stop: async () => {
      checking.stop();
      await Promise.all(watchers.map((watcher) => watcher.stop()));
    },
    states: () => watchers.map((watcher) => watcher.state()),
    isSeeing: (name, socketPath) => {
      const asked =
        socketPath === null
          ? watchers.filter((watcher) => watcher.name === name)
          : containers.filter((watcher) => isSameSocket(watcher.socketPath, socketPath));
      return asked.map((watcher) => watcher.state()).some(({ state }) => state !== 'off' && state !== 'blind');
    },
  };
}

const lookEveryMs = 1000;
const compareEveryMs = 20_000;
const lookAtLimitEveryMs = 5000;

/** Whether every source is still heard: by what it says of itself, and by a second witness. */
function checks({
  watchers,
  systemd,
  processExits,
  blind,
  see,
}: Pick<Hearing, 'watchers' | 'systemd' | 'processExits'> & {
  readonly blind: BlindSources;
  readonly see: (state: SourceState) => void;
}) {
  const timers: NodeJS.Timeout[] = [];
  const look = () => {
    for (const watcher of watchers) see(watcher.state());
    blind.tick();
  };
  const compare = () => {
    void processExits.checkSilence();
    if (systemd.compareWith(processExits.unitsWithCgroup())) processExits.lookAgain();
  };
  return {
    start: () =>
      void timers.push(
        setInterval(look, lookEveryMs),
        setInterval(compare, compareEveryMs),
        setInterval(lookAtLimit, lookAtLimitEveryMs),
      ),
    stop: () => {
      for (const timer of timers.splice(0)) clearInterval(timer);
    },
  };
}

function containerWatchers({ config, runtimeDir, known, report, clock, log }: HearingOptions): ContainersWatcher[] {
  const knownPaths = known.containers.flatMap(({ socketPath }) => socketPath ?? []);
  const sockets = config.containers.sockets?.map(socketAt) ?? findContainerSockets(runtimeDir, knownPaths);
  return sockets.map(({ engine, socketPath }, index) =>
    createContainersWatcher({
      engine,
      socketPath,
      // The first of its kind is the one that people mean.
      name: sockets.findIndex((other) => other.engine === engine) === index ? engine : `${engine}:${socketPath}`,
      include: config.containers.include ?? [],
      exclude: config.containers.exclude ?? [],
      logLines: config.log_lines,
      since: known.since,
      heardUntil: known.engines.find((one) => isSameSocket(one.socket_path, socketPath)) ?? null,
      told: known.told,
      known: known.containers.filter((one) => one.socketPath === null || isSameSocket(one.socketPath, socketPath)),
      report,
      clock,
      log: subsystem(log, `agent:${engine}`),
    }),
  );
}
