import type { Queries } from '../db/database.ts';
import { ensureNode, findNodes, lockNode, nowhere, standInId } from '../nodes/store.ts';
import { insertToldFacts } from '../tasks/facts.ts';
import type { TaskRow } from '../tasks/row.ts';
import { loadForUpdate, saveTasks } from '../tasks/store.ts';
import { follow, idOfRun, type Ping, type Place, repeatMs } from './follow.ts';
import { findNodeOfRun, findRunWithoutId } from './store.ts';

/*
 * Runs that no agent sees, by what their jobs say of them.
 *
 *   with a run id   the run is the one of that id: its words may come in either order and again, and change nothing twice
 *   without         a start opens a run; an end ends the one that is open, or stands for a run of which no start was told.
 *                   The same word again within ten seconds is a repeat. A start later than that, while a run is open, means
 *                   that the open one died without a word: it ends as unknown.
 *
 * A run is on the node that the ping names, where an agent speaks for one of that name; else on one that stands in for it, until
 * its agent comes and its node takes over.
 */
export interface Taken {
  /** The run of the ping, as it is now. */
  readonly task: TaskRow;
  /** Every run that changed; none: the ping was a repeat. */
  readonly changedTaskIds: readonly string[];
}

/** Stores what follows from the ping, in one transaction. @throws when the database does not take it. */
export async function takePing(queries: Queries, ping: Ping, now: Date): Promise<Taken> {
  return queries.transaction(async (transaction) => {
    const place = { nodeId: await lockPlace(transaction, ping, now), now };
    const { task, dead, facts } = follow(await findRun(transaction, ping, place), ping, place);
    if (facts.length === 0) return { task, changedTaskIds: [] };
    const changed = dead === null ? [task] : [dead, task];
    await saveTasks(transaction, changed);
    await insertToldFacts(transaction, { streamId: `ping/${place.nodeId}`, facts, now });
    return { task, changedTaskIds: changed.map(({ id }) => id) };
  });
}

/** The id of the ping's node, which is there and locked: pings of one node take turns. */
async function lockPlace(transaction: Queries, ping: Ping, now: Date): Promise<string> {
  const { node, job, runId } = ping;
  const known = runId === null ? null : await findNodeOfRun(transaction, idOfRun(job, runId));
  if (known !== null && (await lockNode(transaction, known)) !== null) return known;
  const named = node === null ? [] : await findNodes(transaction, node);
  const [watched, ...others] = named.filter(({ status }) => status !== 'never_seen');
  const name = node ?? nowhere;
  const id = watched !== undefined && others.length === 0 ? watched.id : standInId(name);
  await ensureNode(transaction, { id, name }, now);
  // Gone meanwhile: its agent has come, or somebody has removed it.
  return (await lockNode(transaction, id)) === null ? lockPlace(transaction, { ...ping, runId: null }, now) : id;
}

/** The run that the ping speaks of; undefined: none that is stored. */
async function findRun(
  transaction: Queries,
  { job, runId, word }: Ping,
  { nodeId, now }: Place,
): Promise<TaskRow | undefined> {
  const since = new Date(now.getTime() - repeatMs);
  const id = runId === null ? await findRunWithoutId(transaction, job, { nodeId, word, since }) : idOfRun(job, runId);
  return id === null ? undefined : (await loadForUpdate(transaction, [id])).get(id);
}
