import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import { defaultDataDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { examineFolder } from '@runnerwatch/shared/runtime/examine-folder.ts';
import { type ConfigSource, describeSource } from '@runnerwatch/shared/runtime/load-config.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { pino } from 'pino';
import { type CollectorConfig, readCollectorConfig } from '../config.ts';
import { openDatabase } from '../db/open.ts';
import { splitListen } from '../listening.ts';
import { examineNotifiers } from './notifiers.ts';
import { examineTargets } from './targets.ts';

export interface CollectorExamination {
  readonly config: ConfigSource;
  readonly uid: number;
}

/** A database that grows for a while; more is a matter of the fleet's size. */
const neededBytes = 1024 ** 3;
const timeoutMs = 5_000;

/** What a collector with this configuration, started by this user on this machine, would meet. Changes nothing. */
export async function examineCollector({ config: source, uid }: CollectorExamination): Promise<Finding[]> {
  const { config, finding } = readConfig(source);
  if (config === null) return [finding];
  const dataDir =
    config.data_dir ?? defaultDataDir({ uid, home: homedir(), xdgStateHome: source.environment['XDG_STATE_HOME'] });
  const folder = join(dataDir, 'collector');
  const url = localUrl(config.listen);
  const door = await examineDoor(url);
  const { notifications } = config;
  const targets = { url, tokenFile: join(folder, 'api.token'), allowedCidrs: notifications.allowed_cidrs };
  return [
    finding,
    examineFolder(folder, { neededBytes }),
    await examineDatabase(config, dataDir),
    door,
    examineAddress(config),
    examineReceivers(config),
    ...(await examineNotifiers(notifications, hostname())),
    ...(door.result === 'ok' ? await examineTargets(targets) : []),
  ];
}

function readConfig(source: ConfigSource): { config: CollectorConfig | null; finding: Finding } {
  const check = 'configuration';
  try {
    const config = readCollectorConfig(source);
    return { config, finding: { check, result: 'ok', says: describeSource(source), fix: null } };
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    const fix = 'mend it; "runnerwatch init config --host" writes a whole one with comments';
    return { config: null, finding: { check, result: 'failed', says: error.message, fix } };
  }
}

async function examineDatabase({ database: { url } }: CollectorConfig, dataDir: string): Promise<Finding> {
  const check = 'database';
  if (url === undefined) return { check, result: 'ok', says: `embedded, in ${dataDir}`, fix: null };
  try {
    const database = await openDatabase({ url, dataDir, log: pino({ level: 'silent' }) });
    await database.close();
    return { check, result: 'ok', says: 'the PostgreSQL server answers and suits', fix: null };
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    return { check, result: 'failed', says: error.message, fix: 'see database.url in collector.yaml' };
  }
}

/** Whether a collector answers where this one would listen. */
async function examineDoor(url: string): Promise<Finding> {
  const check = 'collector';
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(timeoutMs) }).catch(() => null);
  if (answer === null) {
    const fix = 'systemctl start runnerwatch-collector.service, or "runnerwatch up" for this machine alone';
    return { check, result: 'warning', says: `no collector answers at ${url}`, fix };
  }
  if (answer.ok) return { check, result: 'ok', says: `answers at ${url} and is ready`, fix: null };
  const says = `what answers at ${url} says HTTP ${answer.status} for /readyz`;
  return { check, result: 'failed', says, fix: 'look at its log; if it is another program, change listen' };
}

/** How this machine reaches what listens there. */
function localUrl(listen: string): string {
  const { host, port } = splitListen(listen);
  const local = ['0.0.0.0', '::', ''].includes(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${local}:${port}`;
}

function examineAddress({ listen, public_url: publicUrl }: CollectorConfig): Finding {
  const check = 'address';
  const { host } = splitListen(listen);
  const isLocal = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (publicUrl !== undefined) return { check, result: 'ok', says: `notifications link to ${publicUrl}`, fix: null };
  if (isLocal) {
    const says = `listens on ${listen}: only this machine and its proxies reach it`;
    return { check, result: 'ok', says, fix: null };
  }
  const says = 'public_url is not set: links in notifications may lead nowhere';
  return { check, result: 'warning', says, fix: 'set public_url to the address people use' };
}

function examineReceivers({ notifications }: CollectorConfig): Finding {
  const check = 'notifications';
  const subscriptions = notifications.subscriptions.length;
  if (!notifications.enabled)
    return { check, result: 'warning', says: 'are switched off', fix: 'set notifications.enabled to true' };
  if (subscriptions > 0)
    return { check, result: 'ok', says: `${subscriptions} subscription${subscriptions === 1 ? '' : 's'}`, fix: null };
  const fix = 'add notifications.notifiers and notifications.subscriptions to collector.yaml';
  return { check, result: 'warning', says: 'nobody is subscribed: only the log hears of anything', fix };
}
