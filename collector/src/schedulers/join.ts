import type { Queries } from '../db/database.ts';
import { ensureNode, lockNode, mergeNode } from '../nodes/store.ts';
import type { TaskRow } from '../tasks/row.ts';
import { loadForUpdate, saveTasks } from '../tasks/store.ts';
import { endingOf, type Speaker } from './ending.ts';
import { type Folded, foldWord, identityOf, taskOfWord } from './fold.ts';
import type { Presence } from './ghosts.ts';
import { isFinal, type Scheduler, type SchedulerTask } from './scheduler.ts';
import {
  findNodesNamed,
  findRuns,
  insertFacts,
  type JoinedNode,
  type StoredRun,
  settleWords,
  shortName,
} from './store.ts';

/** What the open words of a scheduler meet in the database. */
export interface Encounter {
  readonly task: SchedulerTask;
  /** The newest run of this task on the node it was given to. */
  readonly run: StoredRun | null;
  readonly node: JoinedNode | null;
  /** The node's agent is there and sees everything such a task could run in. */
  readonly isWatched: boolean;
}

/** Looks up whom each word speaks of. Nodes that an agent has come to speak for take over what was told of them. */
export async function meet(
  db: Queries,
  words: readonly SchedulerTask[],
  { name, runsIn }: { name: string; runsIn: Scheduler['runsIn'] },
): Promise<Encounter[]> {
  const taskIds = words.map(({ taskId }) => taskId);
  const names = [...new Set(words.flatMap(({ nodeName }) => nodeName ?? []))];
  const runs = groupBy(await findRuns(db, taskIds), ({ task }) => task.taskId);
  const nodes = await findNodesNamed(db, names);
  const places = new Map(names.map((nodeName) => [nodeName, nodeNamed(nodeName, nodes)]));
  for (const [nodeName, node] of places) {
    const placeholder = nodes.find(({ id }) => id === placeId(name, nodeName));
    if (placeholder !== undefined && node !== null && node.id !== placeholder.id)
      await mergeNode(db, placeholder.id, node.id);
  }
  return words.map((task): Encounter => {
    const run = runOf(task, runs.get(task.taskId) ?? []);
    const node = run?.node ?? places.get(task.nodeName ?? '') ?? null;
    return { task, run: run?.task ?? null, node, isWatched: isWatching(node, runsIn) };
  });
}

/** The run on the node that the scheduler names. A snowflake is found once in the world, so there the node may have another name. */
function runOf({ taskId, nodeName }: SchedulerTask, runs: readonly Run[]): Run | null {
  const there = runs.find(({ node }) => nodeName === null || isSameNode(node, nodeName));
  return there ?? (/^\d{15,}$/.test(taskId) ? runs[0] : undefined) ?? null;
}

interface Run {
  readonly task: StoredRun;
  readonly node: JoinedNode;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** An agent's node before one that only a scheduler speaks of; the whole name before its first part, which must be unambiguous. */
function nodeNamed(nodeName: string, nodes: readonly JoinedNode[]): JoinedNode | null {
  const alike = nodes.filter(({ name }) => shortName(name) === shortName(nodeName));
  const real = alike.filter(({ status }) => status !== 'never_seen');
  const candidates = real.length > 0 ? real : alike;
  const exact = candidates.filter(({ name }) => name.toLowerCase() === nodeName.toLowerCase());
  const named = exact.length > 0 ? exact : candidates;
  const online = named.filter(({ status }) => status === 'online');
  return online[0] ?? (named.length === 1 || exact.length > 0 ? (named[0] ?? null) : null);
}

function isSameNode(node: JoinedNode, nodeName: string): boolean {
  return shortName(node.name) === shortName(nodeName);
}

const containerSources = ['docker', 'podman'];

/** Some source sees, and none that such a task could run in is blind. One that is absent or off has nothing to see. */
function isWatching(node: JoinedNode | null, runsIn: Scheduler['runsIn']): boolean {
  if (node?.status !== 'online') return false;
  const names = runsIn.flatMap((kind) => (kind === 'systemd' ? ['systemd'] : containerSources));
  const asked = node.sources.filter(({ name }) => names.includes(name));
  return (
    asked.some(({ state }) => state === 'seeing' || state === 'degraded') &&
    asked.every(({ state }) => state !== 'blind')
  );
}

export function presenceOf({ run, node, isWatched }: Encounter): Presence {
  if (run?.status === 'running') return { kind: 'present' };
  if (!isWatched || node === null) return { kind: 'unseen' };
  return { kind: 'absent', nodeId: node.id, nodeName: node.name, endedAt: run?.receivedAt.getTime() ?? null };
}

export interface JoinOptions {
  readonly db: Queries;
  readonly speaker: Speaker;
  readonly now: Date;
  /** A watched node may still tell of this task by itself. */
  readonly mayStillCome: (taskId: string) => boolean;
}

export interface Joined {
  readonly changedTaskIds: readonly string[];
  readonly settled: readonly string[];
  /** Something is there for the engine to judge. */
  readonly hasFacts: boolean;
}

type Step = {
  readonly kind: 'fold' | 'create' | 'drop';
  readonly encounter: Encounter;
  readonly nodeId: string;
  readonly nodeName: string;
};

/** Draws what follows from the words: a transaction for each node. */
export async function join(encounters: readonly Encounter[], options: JoinOptions): Promise<Joined> {
  const steps = encounters.flatMap((encounter) => stepOf(encounter, options) ?? []);
  const byNode = groupBy(steps, ({ nodeId }) => nodeId);
  const all: Joined[] = [];
  for (const [nodeId, ofNode] of [...byNode].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    all.push(await options.db.transaction((transaction) => takeSteps(transaction, { nodeId, steps: ofNode, options })));
  return {
    changedTaskIds: all.flatMap(({ changedTaskIds }) => changedTaskIds),
    settled: all.flatMap(({ settled }) => settled),
    hasFacts: all.some(({ hasFacts }) => hasFacts),
  };
}

/** Null when nothing follows, or not yet. */
function stepOf(encounter: Encounter, { speaker, now, mayStillCome }: JoinOptions): Step | null {
  const { task, run, node, isWatched } = encounter;
  if (run !== null) {
    const { isChanged, isSettled } = foldWord({ ...run, logTail: null }, task, { speaker, now });
    return isChanged || isSettled ? { kind: 'fold', encounter, nodeId: run.nodeId, nodeName: node?.name ?? '' } : null;
  }
  if (!isFinal(task) || (isWatched && mayStillCome(task.taskId))) return null;
  const nodeName = task.nodeName ?? speaker.name;
  const place = { nodeId: node?.id ?? placeId(speaker.name, nodeName), nodeName };
  // What a watched node did not see end well was none of its tasks; a failure may be of the scheduler's own making.
  const isNone = task.status === 'rejected' || (task.status === 'completed' && isWatched);
  return { kind: isNone ? 'drop' : 'create', encounter, ...place };
}

/** The node that stands in for one whose name only a scheduler has said. */
function placeId(scheduler: string, nodeName: string): string {
  return `scheduler:${scheduler}:${nodeName}`;
}

async function takeSteps(
  transaction: Queries,
  { nodeId, steps, options }: { nodeId: string; steps: readonly Step[]; options: JoinOptions },
): Promise<Joined> {
  const { speaker, now } = options;
  const [first] = steps;
  if (first !== undefined && steps.some(({ kind }) => kind === 'create'))
    await ensureNode(transaction, { id: nodeId, name: first.nodeName }, now);
  const node = await lockNode(transaction, nodeId);
  const settled = steps.filter(({ kind }) => kind === 'drop').map(({ encounter }) => encounter.task.taskId);
  const changed: TaskRow[] = [];
  const told: { row: TaskRow; task: SchedulerTask }[] = [];
  const stored = await loadForUpdate(
    transaction,
    steps.flatMap(({ encounter: { run } }) => run?.id ?? []),
  );
  for (const { kind, encounter } of node === null ? [] : steps) {
    const { task, run } = encounter;
    const row = stored.get(run?.id ?? '');
    if (kind === 'drop' || (kind === 'fold' && row === undefined)) continue;
    const folded: Folded =
      row === undefined
        ? { row: taskOfWord(task, { speaker, nodeId, now }), isChanged: true, hasNewEnd: true, isSettled: true }
        : foldWord(row, task, { speaker, now });
    if (folded.isChanged) changed.push(folded.row);
    if (folded.hasNewEnd) told.push({ row: folded.row, task });
    if (folded.isSettled) settled.push(task.taskId);
  }
  await saveTasks(transaction, changed);
  await insertFacts(transaction, speaker.name, { facts: told.map((one) => endedFact(one, options)), now });
  await settleWords(transaction, speaker.name, settled);
  return { changedTaskIds: changed.map(({ id }) => id), settled, hasFacts: told.length > 0 };
}

function endedFact({ row, task }: { row: TaskRow; task: SchedulerTask }, { speaker, now }: JoinOptions) {
  const body = {
    kind: 'task_ended' as const,
    task: identityOf(task, { speaker, id: row.id }),
    ending: endingOf(task, speaker, now),
    log_tail: null,
  };
  return { nodeId: row.nodeId, body };
}
