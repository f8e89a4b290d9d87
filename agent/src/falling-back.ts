import { join } from 'node:path';
import { event } from '@runnerwatch/shared/model/event.ts';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import { Fallback } from './fallback/keeper.ts';
import type { Unsent } from './fallback/message.ts';
import type { Ground } from './ground.ts';
import { readSmallFile, replaceSmallFile } from './small-file.ts';
import type { Spool } from './spool/spool.ts';

/** Null where `fallback.webhook` names nobody. */
export function createFallback(
  { config, folder, node, crashPoint, clock, log }: Ground,
  spool: Pick<Spool, 'peek' | 'acknowledged' | 'stats'>,
): Fallback | null {
  const { webhook, secret, after } = config.fallback;
  if (webhook === undefined) return null;
  const path = join(folder, 'fallback.json');
  return new Fallback({
    webhook,
    secret,
    afterMs: after,
    node,
    collectorUrls: config.collector_urls,
    unsent: () => unsentOf(spool),
    kept: { load: () => readSmallFile(path), save: (text) => replaceSmallFile(path, text) },
    crashPoint,
    clock,
    log: subsystem(log, 'agent:fallback'),
  });
}

const pageBytes = 256 * 1024;
/** 8 MiB of ends: thousands of failures with their last lines. */
const pagesMax = 32;

async function unsentOf(spool: Pick<Spool, 'peek' | 'acknowledged' | 'stats'>): Promise<Unsent> {
  const records = spool.stats.pendingRecords;
  let taskFailures = 0;
  let seq = spool.acknowledged.ends;
  for (let page = 0; page < pagesMax; page++) {
    const events = await spool.peek('ends', seq, pageBytes);
    const last = events.at(-1);
    if (last === undefined) return { records, taskFailures, isCounted: true };
    taskFailures += events.filter(({ text }) => isFailure(text)).length;
    seq = last.seq;
  }
  return { records, taskFailures, isCounted: false };
}

function isFailure(text: string): boolean {
  const parsed = event.safeParse(JSON.parse(text));
  const body = parsed.success ? parsed.data.body : null;
  return body?.kind === 'task_ended' && !['completed', 'unknown'].includes(body.ending.status);
}
