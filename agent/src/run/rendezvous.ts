import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPidStat } from '../proc/pid-stat.ts';

/*
 * How a command started anywhere finds the agents that run on this machine: each agent writes `<pid>.json` into its
 * user's runtime directory. A file counts while the process with that pid and start time lives.
 */
export interface RendezvousOptions {
  readonly uid: number;
  /** `XDG_RUNTIME_DIR`. */
  readonly xdgRuntimeDir: string | undefined;
  /** `/`, or where a captured machine lies. */
  readonly root?: string;
  /** Where everybody's `/run` and `/tmp` are, for tests. */
  readonly base?: string;
}

export interface AgentPlace {
  readonly pid: number;
  readonly dataDir: string;
}

export interface Announcement {
  readonly path: string;
  withdraw(): void;
}

/** Says where this agent's data lies. Throws where the runtime directory cannot be written. */
export function announceAgent(agent: AgentPlace, options: RendezvousOptions): Announcement {
  const [directory] = ownDirectories(options);
  if (directory === undefined) throw new Error('no runtime directory');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (options.uid === 0) chmodSync(directory, 0o755);
  if (!isTrusted(directory, options.uid)) throw new Error(`${directory} belongs to somebody else`);
  for (const stale of agentsIn(directory, options).filter(({ isAlive }) => !isAlive))
    rmSync(stale.path, { force: true });
  const path = join(directory, `${agent.pid}.json`);
  const startTicks = readPidStat(options.root ?? '/', agent.pid)?.startTicks ?? null;
  writeFileSync(
    `${path}.tmp`,
    `${JSON.stringify({ pid: agent.pid, start_ticks: startTicks, data_dir: agent.dataDir })}\n`,
    { mode: 0o644 },
  );
  renameSync(`${path}.tmp`, path);
  return { path, withdraw: () => rmSync(path, { force: true }) };
}

/** The living agents a process of this user may hand its facts to: its own first, then the machine's. */
export function findAgents(options: RendezvousOptions): AgentPlace[] {
  const directories = new Set([...ownDirectories(options), ...ownDirectories({ ...options, uid: 0 })]);
  return [...directories]
    .filter((directory) => isTrusted(directory, options.uid))
    .flatMap((directory) => agentsIn(directory, options))
    .filter(({ isAlive }) => isAlive)
    .map(({ pid, dataDir }) => ({ pid, dataDir }));
}

function ownDirectories({ uid, xdgRuntimeDir, base = '' }: RendezvousOptions): string[] {
  if (uid === 0) return [`${base}/run/runnerwatch/agents`];
  const places = [
    xdgRuntimeDir === undefined ? undefined : `${xdgRuntimeDir}/runnerwatch`,
    `${base}/tmp/runnerwatch-${uid}`,
  ];
  // A job of cron has no XDG_RUNTIME_DIR, its user's agent may well have one.
  places.push(`${base}/run/user/${uid}/runnerwatch`);
  return [...new Set(places.filter((place) => place !== undefined))].map((place) => `${place}/agents`);
}

interface Found extends AgentPlace {
  readonly path: string;
  readonly isAlive: boolean;
}

function agentsIn(directory: string, { uid, root = '/' }: RendezvousOptions): Found[] {
  return namesIn(directory)
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => join(directory, name))
    .filter((path) => isTrusted(path, uid))
    .flatMap((path) => {
      const agent = parseAgent(path);
      if (agent === null) return [];
      const stat = readPidStat(root, agent.pid);
      const isAlive =
        stat !== null && stat.state !== 'Z' && (agent.startTicks === null || stat.startTicks === agent.startTicks);
      return [{ path, pid: agent.pid, dataDir: agent.dataDir, isAlive }];
    });
}

function parseAgent(path: string): (AgentPlace & { readonly startTicks: number | null }) | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Withdrawn meanwhile, or never whole: no agent.
    return null;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('data_dir' in value)) return null;
  const { pid, data_dir: dataDir } = value;
  if (
    typeof pid !== 'number' ||
    !Number.isSafeInteger(pid) ||
    pid < 1 ||
    typeof dataDir !== 'string' ||
    !dataDir.startsWith('/')
  )
    return null;
  const startTicks = 'start_ticks' in value && typeof value.start_ticks === 'number' ? value.start_ticks : null;
  return { pid, dataDir, startTicks };
}

/** Ours or the administrator's, and nobody else may change it: anyone can make a directory in /tmp first. */
function isTrusted(path: string, uid: number): boolean {
  try {
    const stat = lstatSync(path);
    return !stat.isSymbolicLink() && (stat.uid === uid || stat.uid === 0) && (stat.mode & 0o022) === 0;
  } catch {
    // Absent, or behind a directory that is closed to us (an XDG_RUNTIME_DIR kept across su).
    return false;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
