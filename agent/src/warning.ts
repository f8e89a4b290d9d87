import { join } from 'node:path';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import type { Logger } from 'pino';
import { type AgentConfig, warningSettings } from './config.ts';
import type { Hearing } from './hearing.ts';
import { readReclaimableBytes } from './proc/memory-stat.ts';
import { firingFile } from './samplers/firing-file.ts';
import type { Run } from './tasks/run.ts';
import type { LogGrewAt } from './warnings/log-question.ts';
import { createWarnings, type Warnings } from './warnings/warnings.ts';

export interface WarningOptions {
  readonly config: AgentConfig;
  /** The agent's own folder. */
  readonly folder: string;
  /** The cgroup2 mount; null when there is none. */
  readonly cgroupRoot: string | null;
  readonly hearing: Pick<Hearing, 'journal' | 'systemd'>;
  readonly logGrewAt: LogGrewAt;
  readonly record: (body: EventBody) => void;
  readonly log: Logger;
}

/** The early warnings of this node. */
export function createNodeWarnings(options: WarningOptions): Warnings {
  const { config, folder, cgroupRoot, hearing, logGrewAt, record, log } = options;
  const warningsLog = subsystem(log, 'agent:warnings');
  return createWarnings({
    settings: warningSettings(config),
    firing: firingFile(join(folder, 'warnings.json'), warningsLog),
    tell: (report) => record({ kind: 'condition', report }),
    readReclaimable: (cgroup) => (cgroupRoot === null ? null : readReclaimableBytes(cgroupRoot, cgroup)),
    logLinesOf: (run) => linesOf(run, hearing),
    logGrewAt,
    failedUnits: () => hearing.systemd.failedUnits(),
    log: warningsLog,
  });
}

/** By invocation, or for systemds that do not know one by unit. */
function linesOf({ key, source, handle }: Run, { journal }: WarningOptions['hearing']): number | null {
  if (source !== 'systemd') return null;
  return journal.linesOf(key.slice(key.indexOf(':') + 1)) ?? journal.linesOf(handle);
}
