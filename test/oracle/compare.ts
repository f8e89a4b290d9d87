import type { TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import type { Expected, Kind } from './kinds.ts';

/** What really happened. */
export interface Truth {
  readonly name: string;
  readonly kind: Kind;
  /** By the node's clock, in milliseconds since the epoch. */
  readonly endedAt: number;
  /** Its agent learns of processes by looking, and on a busy node may look too late; it has to say so then. */
  readonly isOnlyLookedAt: boolean;
}

export interface StoredTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly verdict: Pick<Verdict, 'cause' | 'summary' | 'confidence'> | null;
}

/** A stored event about a task's end; its place among the others is its order. */
export interface StoredEnd {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly confidence: Verdict['confidence'];
}

/** A notification that arrived, once for each id. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly taskId: string;
  readonly status: TaskStatus;
}

/** When nobody could have seen the exit status of a process that is not our child. */
export interface BlindWindow {
  readonly from: number;
  readonly to: number;
}

/** What the agent said that it missed, by the node's clock, in milliseconds since the epoch; null: from whenever, until whenever. */
export interface ToldGap {
  readonly source: string;
  readonly from: number | null;
  readonly to: number | null;
}

export interface Account {
  readonly truths: readonly Truth[];
  readonly tasks: readonly StoredTask[];
  readonly ends: readonly StoredEnd[];
  readonly told: readonly Told[];
  readonly blind: readonly BlindWindow[];
  readonly gaps: readonly ToldGap[];
  /** When the container engine was killed and came back: it tells the containers that it finds to stop. */
  readonly engineRestarts: readonly BlindWindow[];
}

export const faults = ['missing', 'doubled', 'wrong', 'unexplained', 'untold', 'told twice'] as const;
export type Fault = (typeof faults)[number];

export interface Finding {
  readonly name: string;
  readonly kind: string;
  readonly fault: Fault;
  readonly evidence: string;
}

export interface Comparison {
  readonly findings: readonly Finding[];
  /** Unknown or not there, because nobody could see, and said so. */
  readonly explained: readonly string[];
}

/**
 * Holds what was stored and told against what happened. `missing`: no task, or one without an end; but for a container within a
 * gap that its engine's watcher told. `doubled`: two tasks, or an
 * end stored again though it says nothing better. `wrong`: another status, code, signal or cause; a code or signal may be null
 * when the agent was blind. `unexplained`: unknown, but no scope that ended while the agent was blind and no container that
 * ended while its engine was killed, or without a reason in its verdict. `untold`, `told twice`: no notification, two of its end, or the last
 * one told another status. Of a task that was told as lost with its node the truth is told as an amendment.
 */
export function compare(account: Account): Comparison {
  const tasksByName = groupBy(account.tasks, ({ name }) => name);
  const endsByTask = groupBy(account.ends, ({ taskId }) => taskId);
  const toldByTask = groupBy(account.told, ({ taskId }) => taskId);
  const findings: Finding[] = [];
  const explained: string[] = [];
  for (const truth of account.truths) {
    const find = (fault: Fault, evidence: string) =>
      findings.push({ name: truth.name, kind: truth.kind.name, fault, evidence });
    const [task, ...others] = tasksByName.get(truth.name) ?? [];
    if (task === undefined && isInGap(truth, account.gaps)) {
      explained.push(truth.name);
      continue;
    }
    if (task === undefined || task.status === 'running') {
      find('missing', task === undefined ? 'no task of that name' : 'still running');
      continue;
    }
    if (others.length > 0) find('doubled', `${others.length + 1} tasks: ${[task, ...others].map(textOf).join(' / ')}`);
    const ends = endsByTask.get(task.id) ?? [];
    const repeated = ends.slice(1).filter((end, index) => !saysBetter(end, ends[index]));
    if (repeated.length > 0)
      find(
        'doubled',
        `${ends.length} ends stored: ${ends.map((end) => `${end.status} (${end.confidence})`).join(', ')}`,
      );
    const judged = judge(truth, task, account);
    if (judged === 'explained') explained.push(truth.name);
    else if (judged !== 'right') find(judged, `${textOf(task)}, not ${textOfExpected(truth.kind.is)}`);
    judgeTold(task, toldByTask.get(task.id) ?? [], find);
  }
  return { findings, explained };
}

function isInGap({ kind, endedAt }: Truth, gaps: readonly ToldGap[]): boolean {
  return gaps.some(
    ({ source, from, to }) =>
      source === kind.needs && (from === null || endedAt >= from) && (to === null || endedAt <= to),
  );
}

function judge(
  { kind, endedAt, isOnlyLookedAt }: Truth,
  task: StoredTask,
  { blind, engineRestarts }: Account,
): 'right' | 'wrong' | 'unexplained' | 'explained' {
  const { is } = kind;
  const isIn = ({ from, to }: BlindWindow) => endedAt >= from && endedAt <= to;
  const isBlind = isOnlyLookedAt || blind.some(isIn);
  const isEngineAway = kind.needs === 'docker' && engineRestarts.some(isIn);
  if (task.status === 'unknown') {
    const isHidden = (kind.isScope && isBlind) || isEngineAway;
    return isHidden && givesReason(task) ? 'explained' : 'unexplained';
  }
  const isSeen = <T>(told: T | null, really: T | null) => told === really || (told === null && isBlind);
  const isCause =
    task.verdict?.cause === is.cause ||
    (isEngineAway && task.verdict?.cause === 'stopped_by_system') ||
    (isEngineAway && task.verdict?.cause === 'stopped_by_user' && task.verdict.confidence === 'likely');
  const isRight =
    task.status === is.status && isCause && isSeen(task.exit_code, is.exitCode) && isSeen(task.signal, is.signal);
  return isRight ? 'right' : 'wrong';
}

/** A reason names what kept us from seeing: the agent or the engine was away, or the agent came too late for a kernel that tells only those who look. */
function givesReason({ verdict }: StoredTask): boolean {
  return verdict !== null && /\bagent\b|still there when looked at|engine had removed it/.test(verdict.summary);
}

const rank = { unknown: 0, likely: 1, proven: 2 } as const;

/** `lost` is the collector's guess and no event; a better proven end replaces one told before. */
function saysBetter(end: StoredEnd, before: StoredEnd | undefined): boolean {
  return before !== undefined && rank[end.confidence] > rank[before.confidence];
}

function judgeTold(task: StoredTask, told: readonly Told[], find: (fault: Fault, evidence: string) => void): void {
  const ofEnd = told.filter(({ type }) => type === 'task.ended');
  const texts = told.map(({ type, status, id }) => `${type} ${status} ${id}`).join(', ');
  if (told.length === 0) find('untold', `nothing was told of ${textOf(task)}`);
  if (ofEnd.length > 1) find('told twice', texts);
  const last = told.at(-1);
  if (last !== undefined && last.status !== task.status) find('untold', `${texts}, but stored is ${textOf(task)}`);
}

function textOf({ status, exit_code, signal, verdict }: StoredTask): string {
  return `${status} code=${exit_code} signal=${signal} cause=${verdict?.cause} (${verdict?.summary})`;
}

function textOfExpected({ status, exitCode, signal, cause }: Expected): string {
  return `${status} code=${exitCode} signal=${signal} cause=${cause}`;
}

/** One line for each kind, one for all. */
export function tableOf({ truths }: Pick<Account, 'truths'>, { findings, explained }: Comparison): string {
  const names = [...new Set(truths.map(({ kind }) => kind.name))].toSorted();
  const row = (label: string, isOf: (kind: string) => boolean): string[] => {
    const mine = truths.filter(({ kind }) => isOf(kind.name));
    const unseen = mine.filter(({ name }) => explained.includes(name)).length;
    const counts = faults.map((fault) => findings.filter((one) => isOf(one.kind) && one.fault === fault).length);
    return [label, ...[mine.length, unseen, ...counts].map(String)];
  };
  const head = ['kind', 'ends', 'unseen, said why', ...faults];
  const rows = [head, ...names.map((name) => row(name, (kind) => kind === name)), row('all', () => true)];
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
