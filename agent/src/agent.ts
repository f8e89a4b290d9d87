import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { type EventBody, laneOf } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { NodeDescription, SourceState } from '@runnerwatch/shared/model/node.ts';
import { type Clock, systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { crashPoints } from '@runnerwatch/shared/runtime/crash-point.ts';
import { defaultDataDir, ensureDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { createLogger, subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { StopStack } from '@runnerwatch/shared/runtime/stop-stack.ts';
import { version } from '@runnerwatch/shared/runtime/version.ts';
import type { Logger } from 'pino';
import { type AgentConfig, conditionSettings } from './config.ts';
import { createHearing, type Hearing } from './hearing.ts';
import { nodeIdentity, openLife } from './identity.ts';
import { readBootId } from './proc/boot-id.ts';
import { findCgroup2Root, readCgroupUsage } from './proc/cgroup.ts';
import { announceAgent } from './run/rendezvous.ts';
import { createSamplers } from './samplers/catalogue.ts';
import { firingFile } from './samplers/firing-file.ts';
import { createInventoryKeeper } from './samplers/inventory.ts';
import { Judge } from './samplers/judge.ts';
import { createScheduler } from './samplers/scheduler.ts';
import type { OwnProcess } from './samplers/self.ts';
import { readSmallFile, writeSmallFile } from './small-file.ts';
import { SpoolLockedError } from './spool/lock.ts';
import { describeProblem, type SpoolProblem } from './spool/problem.ts';
import { openSpool, type Spool } from './spool/spool.ts';
import { SpoolFolderError } from './spool/stream.ts';
import { Ledger } from './tasks/ledger.ts';
import { ledgerState } from './tasks/ledger-state.ts';
import { createUplink, type Uplink } from './uplink/uplink.ts';

export interface AgentSystem extends OwnProcess {
  readonly pid: number;
  getuid?(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  kill(pid: number, signal: string): unknown;
}

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly signal: AbortSignal;
  readonly system: AgentSystem;
}

/**
 * The agent, assembled: watchers → ledger → spool → uplink, samplers → judge → spool, and samples straight to the uplink.
 * Everything starts from the spool up, so that whatever is heard can be written down, and stops in the opposite order.
 */
export async function startAgent({ config, signal, system }: AgentOptions): Promise<AsyncDisposable> {
  const clock = systemClock;
  const uid = system.getuid?.() ?? 0;
  const dataDir =
    config.data_dir ?? defaultDataDir({ uid, home: homedir(), xdgStateHome: system.env['XDG_STATE_HOME'] });
  ensureDir(dataDir, 0o755);
  const folder = ensureDir(join(dataDir, 'agent'), 0o711);
  const log = createLogger('agent', { ...config.log, write: (line) => void system.stdout.write(line) });
  const crashPoint = crashPoints(system);
  const nodeId = nodeIdentity(folder);
  const bootId = readBootId('/');
  const parts = new StopStack();

  // What the spool finds while it opens waits until there is somewhere to write it.
  const early: SpoolProblem[] = [];
  let onProblem: (problem: SpoolProblem) => void = (problem) => early.push(problem);
  const spool = await openOrExplain(config, {
    folder,
    clock,
    log: subsystem(log, 'agent:spool'),
    problems: (problem) => onProblem(problem),
  });
  parts.defer(() => spool.close());
  const record = recorder({ spool, clock, log });
  const overflow = spoolOverflow(clock, record);
  onProblem = overflow.take;
  early.forEach(overflow.take);
  const life = openLife(folder, bootId);
  parts.defer(() => life.end());
  record({ kind: 'agent_started', agent_version: version, boot_id: bootId, previous: life.previous });

  const { ledger, hearing } = assembleHearing({
    config,
    system,
    spool,
    nodeId,
    bootId,
    folder,
    dataDir,
    clock,
    log,
    crashPoint,
  });
  const inventory = createInventoryKeeper({
    onChange: () => record({ kind: 'node', node: describe() }),
    log: subsystem(log, 'agent:inventory'),
  });
  const describe = (): NodeDescription => ({
    name: config.node.name ?? hostname(),
    labels: config.node.labels,
    boot_id: bootId,
    inventory: inventory.current(),
    sources: publicStates(hearing),
  });
  const uplink = createUplink({
    spool,
    urls: config.collector_urls,
    token: config.token ?? '',
    ca: config.ca_file === undefined ? undefined : readFileSync(config.ca_file, 'utf8'),
    hello: () => ({ node_id: nodeId, agent_version: version, node: describe() }),
    heartbeatIntervalMs: config.heartbeat_interval,
    clock,
    log: subsystem(log, 'agent:uplink'),
  });
  const sampling = assembleSampling({ config, system, folder, record, uplink, inventory, ledger, clock, log });

  parts.defer(() => ledger.stop());
  await hearing.start(signal);
  parts.defer(() => hearing.stop());
  uplink.start();
  parts.defer(() => uplink.stop('stopping'));
  ledger.reconcile();
  ledger.save();
  sampling.start();
  parts.defer(() => sampling.stop());
  void inventory.refresh();
  const announcement = announce({ pid: system.pid, dataDir, uid, runtimeDir: system.env['XDG_RUNTIME_DIR'], log });
  parts.defer(() => announcement?.withdraw());
  log.info({ node_id: nodeId, data_dir: dataDir, collectors: config.collector_urls, version }, 'agent started');
  return parts;
}

async function openOrExplain(
  config: AgentConfig,
  {
    folder,
    clock,
    log,
    problems,
  }: { folder: string; clock: Clock; log: Logger; problems: (problem: SpoolProblem) => void },
): Promise<Spool> {
  try {
    return await openSpool({
      folder: join(folder, 'spool'),
      report: (problem) => {
        log.warn({ problem: problem.kind }, describeProblem(problem));
        problems(problem);
      },
      now: () => clock.wallMs(),
      maxBytes: config.spool.max_bytes,
      maxAgeMs: config.spool.max_age,
    });
  } catch (error) {
    if (error instanceof SpoolLockedError) throw new StartFailure('alreadyRunning', error.message, { cause: error });
    if (error instanceof SpoolFolderError) throw new StartFailure('cannotWrite', error.message, { cause: error });
    throw error;
  }
}

type RecordEvent = (body: EventBody) => void;

/** Writes an event that nobody waits for; what cannot be kept is the spool's to count. */
function recorder({ spool, clock, log }: { spool: Spool; clock: Clock; log: Logger }): RecordEvent {
  return (body) => {
    spool.append(body, clock.wallMs()).catch((error: unknown) => {
      log.warn({ err: error, kind: body.kind, lane: laneOf(body) }, 'an event was not kept');
    });
  };
}

/** The spool's losses as a condition: fires while it gives records up, resolves when it writes again. */
function spoolOverflow(clock: Clock, record: RecordEvent): { take: (problem: SpoolProblem) => void } {
  let isFiring = false;
  const report = (status: ConditionReport['status'], reason: string) => {
    isFiring = status === 'true';
    record({
      kind: 'condition',
      report: {
        condition: 'SpoolOverflow',
        component: 'agent',
        subject: '',
        status,
        severity: 'critical',
        reason,
        value: null,
        threshold: null,
        since: toInstant(clock.wallMs()),
      },
    });
  };
  return {
    take: (problem) => {
      if (['full', 'evicted', 'not_durable', 'damaged', 'missing'].includes(problem.kind) && !isFiring)
        report('true', describeProblem(problem));
      if (problem.kind === 'recovered' && isFiring) report('false', describeProblem(problem));
    },
  };
}

interface HearingParts {
  readonly config: AgentConfig;
  readonly system: AgentSystem;
  readonly spool: Spool;
  readonly nodeId: string;
  readonly bootId: string | null;
  readonly folder: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly crashPoint: (moment: string) => void;
}

/** Ledger and watchers know each other only through the functions they are given here. */
function assembleHearing(parts: HearingParts): { ledger: Ledger; hearing: Hearing } {
  const { config, system, spool, nodeId, bootId, folder, dataDir, clock, log } = parts;
  const cgroupRoot = findCgroup2Root('/');
  const stateFile = join(folder, 'ledger.json');
  const isSeeing = (name: string) =>
    name === 'run' ||
    hearing.states().some((state) => state.name === name && state.state !== 'off' && state.state !== 'blind');
  const ledger: Ledger = new Ledger({
    nodeId,
    bootId,
    rules: config.tasks.identify,
    write: (body, atMs) => spool.append(body, atMs),
    readUse: (cgroup) => (cgroupRoot === null ? null : readCgroupUsage(cgroupRoot, cgroup)),
    tailOf: ({ unit, invocationId }) =>
      (invocationId === null ? null : hearing.journal.tailOf(invocationId)) ?? hearing.journal.tailOf(unit),
    hurryJournal: () => hearing.journal.hurry(),
    state: {
      load: () => {
        const parsed = ledgerState.safeParse(parseOrNull(readSmallFile(stateFile)));
        return parsed.success ? parsed.data : null;
      },
      save: (state) => writeSmallFile(stateFile, JSON.stringify(state)),
    },
    isSeeing,
    exitsBlindReason: () => hearing.processExits.state().reason,
    isShuttingDown: () => false,
    watchCgroup: (cgroup) => hearing.cgroupOom.watch(cgroup),
    unwatchCgroup: (cgroup) => hearing.cgroupOom.unwatch(cgroup),
    settled: (source, handle) => {
      if (source === 'run') hearing.inbox.settle(handle);
    },
    clock,
    log: subsystem(log, 'agent:ledger'),
    crashPoint: parts.crashPoint,
  });
  const hearing: Hearing = createHearing({
    config: config.tasks,
    dataDir,
    folder,
    cgroupRoot,
    runtimeDir: system.env['XDG_RUNTIME_DIR'] ?? null,
    report: (sighting) => ledger.see(sighting),
    onMainExit: (cgroup) => ledger.measure(cgroup),
    known: {
      since: ledger.lastSavedAt,
      containers: ledger
        .open()
        .flatMap(({ source: engine, handle: containerId, identity: { name }, startedAt }) =>
          engine === 'docker' || engine === 'podman' ? [{ engine, containerId, name, startedAt }] : [],
        ),
    },
    clock,
    log,
  });
  return { ledger, hearing };
}

interface SamplingParts {
  readonly config: AgentConfig;
  readonly system: AgentSystem;
  readonly folder: string;
  readonly record: RecordEvent;
  readonly uplink: Uplink;
  readonly inventory: ReturnType<typeof createInventoryKeeper>;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
}

function assembleSampling({ config, system, folder, record, uplink, inventory, ledger, clock, log }: SamplingParts) {
  const settings = conditionSettings(config);
  const firing = firingFile(join(folder, 'firing.json'), subsystem(log, 'agent:samplers'));
  const judge = new Judge(settings, firing.load());
  const samplers = createSamplers({
    root: '/',
    processMatches: settings.processRules.map(({ match }) => match),
    ownProcess: system,
  });
  return createScheduler({
    clock,
    intervalMs: config.sample_interval,
    samplers,
    onSample: (reading, now) => {
      uplink.sendSample(reading.sample);
      const changed = judge.take(reading, now);
      for (const report of changed) record({ kind: 'condition', report });
      if (changed.length > 0) firing.save(judge.firing());
      inventory.observe(reading.sample);
      ledger.tick();
    },
    log: subsystem(log, 'agent:samplers'),
  });
}

function announce({
  pid,
  dataDir,
  uid,
  runtimeDir,
  log,
}: {
  pid: number;
  dataDir: string;
  uid: number;
  runtimeDir: string | undefined;
  log: Logger;
}) {
  try {
    return announceAgent({ pid, dataDir }, { uid, xdgRuntimeDir: runtimeDir });
  } catch (error) {
    log.warn(
      { err: error },
      '"runnerwatch run" will find this agent only where RUNNERWATCH_DATA_DIR names its data_dir',
    );
    return undefined;
  }
}

/** What people are told of the sources: `run` in place of the folder its facts come through. */
function publicStates(hearing: Hearing): SourceState[] {
  return hearing.states().map((state) => (state.name === 'inbox' ? { ...state, name: 'run' } : state));
}

function parseOrNull(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
