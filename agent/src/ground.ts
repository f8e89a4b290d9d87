import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { Redact } from '@runnerwatch/shared/redact/redact.ts';
import { type Clock, systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { crashPoints } from '@runnerwatch/shared/runtime/crash-point.ts';
import { defaultDataDir, ensureDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { createLogger } from '@runnerwatch/shared/runtime/logging.ts';
import type { Logger } from 'pino';
import { type AgentConfig, redactOf } from './config.ts';
import { nodeIdentity } from './identity.ts';
import { readBootId } from './proc/boot-id.ts';
import { findCgroup2Root } from './proc/cgroup.ts';
import type { OwnProcess } from './samplers/self.ts';

/** Of the process, what the agent needs. */
export interface AgentSystem extends OwnProcess {
  readonly pid: number;
  readonly ppid: number;
  getuid?(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  kill(pid: number, signal: string): unknown;
}

/** What every part of the agent stands on. */
export interface Ground {
  readonly config: AgentConfig;
  readonly system: AgentSystem;
  readonly uid: number;
  readonly dataDir: string;
  /** The agent's own folder in it. */
  readonly folder: string;
  readonly node: { readonly id: string; readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly bootId: string | null;
  /** The cgroup2 mount; null when there is none. */
  readonly cgroupRoot: string | null;
  readonly redact: Redact;
  /** Named moments, for tests that die there. */
  readonly crashPoint: (moment: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws StartFailure when there is nowhere to keep state. */
export function layGround({ config, system }: Pick<Ground, 'config' | 'system'>): Ground {
  const uid = system.getuid?.() ?? 0;
  const dataDir =
    config.data_dir ?? defaultDataDir({ uid, home: homedir(), xdgStateHome: system.env['XDG_STATE_HOME'] });
  ensureDir(dataDir, 0o755);
  const folder = ensureDir(join(dataDir, 'agent'), 0o711);
  return {
    config,
    system,
    uid,
    dataDir,
    folder,
    node: { id: nodeIdentity(folder), name: config.node.name ?? hostname(), labels: config.node.labels },
    bootId: readBootId('/'),
    cgroupRoot: findCgroup2Root('/'),
    redact: redactOf(config),
    crashPoint: crashPoints(system),
    clock: systemClock,
    log: createLogger('agent', { ...config.log, write: (line) => void system.stdout.write(line) }),
  };
}
