import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { defaultDataDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { examineFolder } from '@runnerwatch/shared/runtime/examine-folder.ts';
import { type ConfigSource, describeSource } from '@runnerwatch/shared/runtime/load-config.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { type AgentConfig, readAgentConfig } from '../config.ts';
import { openCredential } from '../identity.ts';
import { type AgentPlace, findAgents } from '../run/rendezvous.ts';
import { examineDoor } from './door.ts';
import { examineKernel } from './kernel.ts';
import { examineSources } from './sources.ts';

export interface AgentExamination {
  readonly config: ConfigSource;
  readonly uid: number;
  readonly clock: Clock;
  /** Where `/proc` and `/sys` are: `/`. */
  readonly root: string;
}

/** What an agent with this configuration, started by this user on this machine, could and could not do. Changes nothing. */
export async function examineAgent({ config: source, uid, clock, root }: AgentExamination): Promise<Finding[]> {
  const { config, finding } = readConfig(source);
  if (config === null) return [finding];
  const environment = source.environment;
  const folder = folderOf(config, { uid, environment });
  const [running] = findAgents({ uid, xdgRuntimeDir: environment['XDG_RUNTIME_DIR'] });
  const token = config.token ?? tokenBeside([running?.dataDir, dirname(folder)]);
  const shown = openCredential(folder, { token, isKept: false }).show();
  const [sources, ...doors] = await Promise.all([
    examineSources({ config: config.tasks, uid, runtimeDir: environment['XDG_RUNTIME_DIR'] ?? null, clock, root }),
    ...config.collector_urls.map((url) => examineDoor({ url, config, shown, environment, clock })),
  ]);
  return [
    finding,
    examineUser(uid),
    examineFolder(folder, { neededBytes: config.spool.max_bytes }),
    examineRunning(running),
    ...sources,
    ...examineKernel(root),
    ...doors.flat(),
  ];
}

function readConfig(source: ConfigSource): { config: AgentConfig | null; finding: Finding } {
  const check = 'configuration';
  try {
    const config = readAgentConfig(source);
    return { config, finding: { check, result: 'ok', says: describeSource(source), fix: null } };
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    const fix = 'mend it; "runnerwatch init config --runner" writes a whole one with comments';
    return { config: null, finding: { check, result: 'failed', says: error.message, fix } };
  }
}

function examineUser(uid: number): Finding {
  const says = uid === 0 ? 'root: everything below is seen as root' : `uid ${uid}: what follows is what this user sees`;
  return { check: 'user', result: 'ok', says, fix: null };
}

function folderOf(
  config: AgentConfig,
  { uid, environment }: { uid: number; environment: ConfigSource['environment'] },
): string {
  const xdgStateHome = environment['XDG_STATE_HOME'];
  return join(config.data_dir ?? defaultDataDir({ uid, home: homedir(), xdgStateHome }), 'agent');
}

/** What `runnerwatch up` hands to its agent: the token of the collector beside it, where this user may read it. */
function tokenBeside(dataDirs: readonly (string | undefined)[]): string {
  for (const dataDir of dataDirs) {
    try {
      if (dataDir !== undefined) return readFileSync(join(dataDir, 'collector', 'agent.token'), 'utf8').trim();
    } catch {
      // No collector here, or not for this user: then the door says so.
    }
  }
  return '';
}

function examineRunning(agent: AgentPlace | undefined): Finding {
  const check = 'agent';
  if (agent !== undefined)
    return { check, result: 'ok', says: `runs as pid ${agent.pid}, state in ${agent.dataDir}`, fix: null };
  const fix = 'systemctl start runnerwatch-agent.service, or "runnerwatch up" for this machine alone';
  return { check, result: 'warning', says: 'no agent runs here', fix };
}
