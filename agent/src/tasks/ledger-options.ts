import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import type { TaskSource } from '@runnerwatch/shared/model/task.ts';
import type { Redact } from '@runnerwatch/shared/redact/redact.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { TaskEnded } from './ending.ts';
import type { IdentifyRule } from './identify.ts';
import type { EngineHeard, LedgerState, TaskBegun } from './ledger-state.ts';
import type { Blindness, CgroupUse, Run } from './run.ts';
import type { OutputReading } from './task-outputs.ts';
import type { RunFacts } from './verdict/run-facts.ts';

export interface LedgerOptions {
  readonly nodeId: string;
  readonly bootId: string | null;
  /** `tasks.identify` of the configuration. */
  readonly rules: readonly IdentifyRule[];
  /** The spool's append: resolves when the event is on disk. */
  readonly write: (body: EventBody, atMs: number) => Promise<unknown>;
  /** Of a cgroup whose main process has just ended. */
  readonly readUse: (cgroup: string) => CgroupUse | null;
  /** The last minutes of a run that has ended at this instant; asked once of each. */
  readonly takeRecording: (run: Run, endedAt: number) => TaskRecording | null;
  /** What the rules ask for of the environment of a run's main process; empty when it is not to be seen. */
  readonly readEnvironment: (of: { pid: number | null; cgroup: string | null }) => Readonly<Record<string, string>>;
  /** The main process of what runs in a cgroup, where the kernel has told of it. */
  readonly mainPidOf: (cgroup: string) => number | null;
  /** Where the main process of a run works; null when it is not to be seen. */
  readonly directoryOf: (of: { pid: number | null; cgroup: string | null }) => string | null;
  /** The fullest of the disks a run uses, as last read. */
  readonly diskOf: (run: Run) => RunFacts['disk']['fullest'];
  /** Takes secrets out of whatever is told. */
  readonly redact: Redact;
  readonly outputs: OutputReading;
  /** The last lines of a unit's run; null when nobody reads its log. */
  readonly tailOf: (run: { unit: string; invocationId: string | null }) => readonly string[] | null;
  /** The journal's word on an end is waited for. */
  readonly hurryJournal: () => void;
  /** Up to where each container engine is heard at this moment. */
  readonly engines: () => readonly EngineHeard[];
  readonly state: { load(): LedgerState | null; save(state: LedgerState): Promise<void> };
  /** What earlier lives have written down. */
  readonly onDisk: TasksOnDisk;
  /** Whether the source, of several engines the one at this socket, can be heard at this moment: an absent word from it then means something. */
  readonly isSeeing: (
    source: 'systemd' | 'journal' | 'process-exits' | TaskSource,
    socketPath?: string | null,
  ) => boolean;
  /** Why the end of a process at this instant was not seen, when that has a known reason. */
  readonly exitsBlindness: (at: number) => Blindness | null;
  readonly watchCgroup: (cgroup: string) => void;
  readonly unwatchCgroup: (cgroup: string) => void;
  /** The end of this run is on disk: its source may forget it. */
  readonly settled: (source: TaskSource, handle: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Named moments, for tests that die there. */
  readonly crashPoint?: (name: 'seen' | 'before-write' | 'written') => void;
}

export interface TasksOnDisk {
  /** By id. */
  readonly ended: ReadonlySet<string>;
  /** Of the last minutes, as last told: the ends that nobody could prove. */
  readonly unproven: readonly TaskEnded[];
  readonly begun: readonly TaskBegun[];
}
