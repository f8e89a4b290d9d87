import type { Gap } from '@runnerwatch/shared/model/event.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';

/*
 * A watcher hears facts when they happen and hands each on as a sighting: what one source saw, unjudged.
 * The ledger (agent/tasks/ledger.ts) puts the sightings of one run of work together; verdict.ts says what they mean.
 * Instants in here are milliseconds since the epoch by the node's clock.
 */
export interface Watcher {
  readonly name: string;
  /** Subscribes first, lists what already runs second, and returns when both are done or the source is known to be absent. Goes on by itself, with back-off, until the signal aborts. */
  start(signal: AbortSignal): Promise<void>;
  /** Idempotent; releases everything within a second. */
  stop(): Promise<void>;
  state(): SourceState;
}

export type Report = (sighting: Sighting) => void;

export type Sighting =
  | UnitStarted
  | UnitEnded
  | UnitOom
  | ContainerStarted
  | ContainerOom
  | ContainerSignalled
  | ContainerEnded
  | ContainerNotStarted
  | ProcessExited
  | CgroupOom
  | KernelOom
  | GpuFault
  | CoreDumped
  | UnitStartFailed
  | SystemStopping
  | EngineStopping
  | RunStarted
  | RunEnded
  | GapSeen
  | StateChanged;

/** A scope or service became active (or was found active at start). */
export interface UnitStarted {
  readonly kind: 'unit_started';
  readonly unit: string;
  /** 128-bit id of this start, 32 hex digits; null where systemd has none (very old). */
  readonly invocationId: string | null;
  readonly description: string | null;
  /** Below the cgroup2 mount: `/system.slice/t1.scope`. */
  readonly cgroup: string | null;
  readonly mainPid: number | null;
  readonly command: string | null;
  readonly user: string | null;
  readonly memoryMaxBytes: number | null;
  readonly runtimeMaxMs: number | null;
  readonly startedAt: number | null;
}

/** A scope or service became inactive or failed. What systemd did not say is null. */
export interface UnitEnded {
  readonly kind: 'unit_ended';
  readonly unit: string;
  readonly invocationId: string | null;
  /** systemd's `Result`: success, exit-code, signal, core-dump, timeout, oom-kill, start-limit-hit, resources, protocol, watchdog. */
  readonly result: string | null;
  /** Services only: how their main process ended, as siginfo's si_code and si_status. */
  readonly execMain: { readonly code: 'exited' | 'killed' | 'dumped'; readonly status: number } | null;
  /** Services only: which process that was. */
  readonly mainPid: number | null;
  /** Someone asked for it (a stop job ran): `systemctl stop`, shutdown; null when not known. */
  readonly stopJob: boolean | null;
  /** True when the whole system was going down: then the stop job is the system's, not a person's. */
  readonly systemStopping?: boolean;
  readonly cpuNs: number | null;
  readonly memoryPeakBytes: number | null;
  readonly startedAt: number | null;
  readonly at: number;
  readonly approximate: boolean;
  /** Where the facts come from: live D-Bus signals, or read back from the journal. */
  readonly via: 'dbus' | 'journal';
}

/** systemd says a process of the unit was killed by the OOM killer. */
export interface UnitOom {
  readonly kind: 'unit_oom';
  readonly unit: string;
  readonly invocationId: string | null;
  readonly at: number;
}

export type Engine = 'docker' | 'podman';

/** One engine of perhaps several on a node: Docker of the machine, and a user's own. */
export interface ContainerSocket {
  readonly engine: Engine;
  readonly socketPath: string;
}

export interface ContainerFacts extends ContainerSocket {
  readonly containerId: string;
  readonly name: string;
  readonly image: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: string | null;
  readonly cgroup: string | null;
  readonly pid: number | null;
  readonly memoryMaxBytes: number | null;
  readonly startedAt: number | null;
}

/** A container's run as it was told, in milliseconds since the epoch. */
export interface ContainerRunTimes {
  readonly startedAtMs: number | null;
  readonly endedAtMs: number;
}

export interface ContainerStarted extends ContainerFacts {
  readonly kind: 'container_started';
}

export interface ContainerOom {
  readonly kind: 'container_oom';
  readonly engine: Engine;
  readonly containerId: string;
  readonly at: number;
}

/** Someone sent a signal through the engine (`docker kill`, `docker stop`). */
export interface ContainerSignalled {
  readonly kind: 'container_signalled';
  readonly engine: Engine;
  readonly containerId: string;
  readonly signal: number;
  readonly at: number;
}

export interface ContainerEnded extends ContainerFacts {
  readonly kind: 'container_ended';
  readonly exitCode: number | null;
  readonly oomKilled: boolean | null;
  readonly error: string | null;
  readonly at: number;
  readonly approximate: boolean;
  readonly logTail: readonly string[] | null;
}

/** Created, but the engine could not start it. */
export interface ContainerNotStarted extends ContainerFacts {
  readonly kind: 'container_not_started';
  readonly exitCode: number | null;
  readonly error: string | null;
  readonly at: number;
}

/** A process in a unit's or container's cgroup is gone. */
export interface ProcessExited {
  readonly kind: 'process_exited';
  readonly pid: number;
  /** Field 22 of /proc/PID/stat; null when it was gone before it could be read. */
  readonly startTicks: number | null;
  readonly cgroup: string;
  /** The first process of its cgroup, its parent lying outside. */
  readonly isMain: boolean;
  /** Process 1 of a pid namespace of its own (pid_namespaces(7)): with it a container ends, whatever else came and went in its cgroup. */
  readonly isInit: boolean;
  readonly comm: string | null;
  /** As wait(2) gives it: signal in bits 0–6, core flag 0x80, code in bits 8–15. Null: nobody could see. */
  readonly waitStatus: number | null;
  readonly via: 'connector' | 'pidfd' | 'zombie' | null;
  /** Why waitStatus is null. */
  readonly blindReason: string | null;
  readonly at: number;
}

/** The kernel's count of OOM kills in a cgroup grew (`memory.events`). */
export interface CgroupOom {
  readonly kind: 'cgroup_oom';
  readonly cgroup: string;
  readonly oomKills: number;
  readonly at: number;
}

/** The kernel's log names a process that its OOM killer took (`oom-kill:…` line, mm/oom_kill.c). */
export interface KernelOom {
  readonly kind: 'kernel_oom';
  readonly pid: number;
  readonly comm: string | null;
  /** Where the process lived. */
  readonly cgroup: string;
  /** `cgroup`: a memory limit was reached (then `limitedCgroup` names whose). `host`: the machine ran out. */
  readonly scope: 'cgroup' | 'host';
  readonly limitedCgroup: string | null;
  /** What the group at its limit used, and its limit; null where the log did not say, and for a host. */
  readonly usageBytes: number | null;
  readonly limitBytes: number | null;
  /** What the killed process gave back. */
  readonly rssBytes: number | null;
  /** The largest of those that could have been killed. */
  readonly largest: OomProcess | null;
  readonly at: number;
}

export interface OomProcess {
  readonly pid: number;
  readonly comm: string;
  readonly rssBytes: number;
}

/** The kernel's log has the GPU driver's word about a fault (NVIDIA's Xid messages). */
export interface GpuFault {
  readonly kind: 'gpu_fault';
  readonly xid: number;
  /** Its place on the bus: `0000:3b:00`. */
  readonly gpu: string;
  /** Whose work it befell; null when the driver did not say. */
  readonly pid: number | null;
  readonly comm: string | null;
  /** Where that process lived; null when it was gone before it could be looked at. */
  readonly cgroup: string | null;
  readonly text: string;
  readonly at: number;
}

/** systemd-coredump took a core dump. */
export interface CoreDumped {
  readonly kind: 'core_dumped';
  readonly pid: number;
  readonly comm: string | null;
  readonly signal: number;
  readonly cgroup: string;
  /** Where it is kept; null when it is not. */
  readonly file: string | null;
  readonly at: number;
}

/** systemd says why it could not execute a unit's program. */
export interface UnitStartFailed {
  readonly kind: 'unit_start_failed';
  readonly unit: string;
  readonly invocationId: string | null;
  /** Who said it. */
  readonly pid: number | null;
  /** A process of the unit, as journald saw it; one that was gone too soon is nobody's, unless its pid is known. */
  readonly isOfUnit: boolean;
  readonly words: string;
  readonly at: number;
}

/** The node is going down; or it is not any more, when the shutdown was cancelled. */
export interface SystemStopping {
  readonly kind: 'system_stopping';
  readonly isStopping: boolean;
  readonly at: number;
}

/** systemd was told to stop Docker, or to start it anew, and its containers go first; or that is over. */
export interface EngineStopping {
  readonly kind: 'engine_stopping';
  readonly unit: string;
  readonly isStopping: boolean;
  readonly at: number;
}

/** `runnerwatch run` began a command. */
export interface RunStarted {
  readonly kind: 'run_started';
  readonly runId: string;
  readonly name: string | null;
  readonly job: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  readonly command: string;
  readonly pid: number;
  readonly startTicks: number | null;
  readonly cgroup: string | null;
  readonly timeoutMs: number | null;
  readonly startedAt: number;
}

export interface RunEnded {
  readonly kind: 'run_ended';
  readonly runId: string;
  /** As {@link ProcessExited.waitStatus}; null when the wrapper itself died or the command never started. */
  readonly waitStatus: number | null;
  readonly timedOut: boolean;
  /** The command could not be started: why. */
  readonly startError: string | null;
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
  readonly at: number;
  readonly approximate: boolean;
  readonly logTail: readonly string[] | null;
  /** Why waitStatus is null although the command was started. */
  readonly blindReason?: string;
}

export interface GapSeen {
  readonly kind: 'gap';
  readonly gap: Gap;
}

/** The watcher itself sees more or less than before. */
export interface StateChanged {
  readonly kind: 'state_changed';
  readonly state: SourceState;
}
