import {
  dueByInterval,
  dueBySchedule,
  judgeJobMissed,
  judgeJobOverlap,
  judgeShorterThan,
  judgeTooLong,
  judgeUnexpected,
  type LastStart,
} from '../conditions/job-expectation.ts';
import type { AlertRow } from '../incidents/store.ts';
import { type ExpectationRow, listExpectations } from '../tasks/expectations.ts';
import { timesUpTo } from '../tasks/schedule.ts';
import { findRuns, type JobRuns, listFiringOf, listShortRuns } from './expectation-store.ts';
import { judgeCondition } from './judge-condition.ts';
import { asReport } from './judge-firing.ts';
import { noteShortRun } from './judge-history.ts';
import type { Judging, TaskRow } from './round.ts';
import { findNodes } from './store.ts';

/* What is expected of jobs, looked at once a minute from what is stored: a restart changes nothing about it. */

/** `listeningSince`: when this engine began. Epoch milliseconds. */
export async function judgeExpectations(judging: Judging, listeningSince: number): Promise<void> {
  const expectations = await listExpectations(judging.tx);
  const firing = await listFiringOf(judging.tx, ['JobMissed', 'JobOverlap', 'TaskOverrun']);
  for (const expectation of expectations) {
    const runs = await findRuns(judging.tx, expectation);
    const known: Known = { expectation, runs, firing };
    await judgeStart(judging, known, listeningSince);
    await judgeCount(judging, known);
    await judgeLengths(judging, known);
  }
  await endUnexpected(judging, expectations, firing);
}

interface Known {
  readonly expectation: ExpectationRow;
  readonly runs: JobRuns;
  readonly firing: readonly AlertRow[];
}

async function judgeStart(judging: Judging, { expectation, runs, firing }: Known, listeningSince: number) {
  const { jobId, graceMs } = expectation;
  if (!hasStart(expectation)) return;
  const starts = runs.recent.map(startOf);
  const lastStartAt = starts.length === 0 ? null : Math.max(...starts);
  const isFiring = firing.some(({ condition, nodeId }) => condition === 'JobMissed' && nodeId === jobId);
  const judgment = judgeJobMissed(
    {
      subject: nameOf(expectation),
      dueAt: dueAtOf(expectation, { lastStartAt, now: judging.now.getTime() }),
      graceMs,
      lastStartAt,
      heardAt: runs.heardAt,
      listeningSince,
      isFiring,
    },
    judging.now.getTime(),
  );
  if ((judgment.status === 'true') !== isFiring) await tellOfJob(judging, { expectation, runs }, judgment);
}

function hasStart({ everyMs, schedule }: ExpectationRow): boolean {
  return everyMs !== null || schedule !== null;
}

function dueAtOf(
  { everyMs, schedule, timeZone, graceMs, setAt }: ExpectationRow,
  { lastStartAt, now }: Pick<LastStart, 'lastStartAt'> & { readonly now: number },
): number | null {
  const last = { setAt: setAt.getTime(), lastStartAt };
  if (schedule !== null)
    return dueBySchedule(timesUpTo({ schedule, timeZone: timeZone ?? 'UTC' }, now - graceMs, 2), last);
  return everyMs === null ? null : dueByInterval(everyMs, last);
}

async function judgeCount(judging: Judging, { expectation, runs, firing }: Known) {
  const { jobId, maxConcurrent: max } = expectation;
  if (max === null) return;
  const counted = { subject: nameOf(expectation), running: runs.running.length, max };
  const judgment = judgeJobOverlap(counted, judging.now.getTime());
  const isFiring = firing.some(({ condition, nodeId }) => condition === 'JobOverlap' && nodeId === jobId);
  if ((judgment.status === 'true') !== isFiring) await tellOfJob(judging, { expectation, runs }, judgment);
}

/** A job stands where a node's id would; its newest run lends what subscriptions match. */
async function tellOfJob(
  judging: Judging,
  { expectation, runs }: Pick<Known, 'expectation' | 'runs'>,
  judgment: ReturnType<typeof judgeJobMissed>,
): Promise<void> {
  const task = runs.recent[0];
  await judgeCondition(judging, {
    nodeId: expectation.jobId,
    node: null,
    report: asReport(judgment),
    ...(task === undefined ? {} : { task }),
  });
}

async function judgeLengths(judging: Judging, { expectation, runs, firing }: Known): Promise<void> {
  const { tx, now } = judging;
  const { maxRunMs, minRunMs } = expectation;
  const short = minRunMs === null ? [] : await listShortRuns(tx, expectation, now);
  const long =
    maxRunMs === null
      ? []
      : runs.running.filter(
          ({ id }) =>
            !firing.some(
              (alert) => alert.condition === 'TaskOverrun' && alert.component === 'collector' && alert.subject === id,
            ),
        );
  const nodes = await findNodes(
    tx,
    [...short, ...long].map(({ nodeId }) => nodeId),
  );
  for (const task of long) {
    const node = nodes.get(task.nodeId) ?? null;
    const ranMs = now.getTime() - startOf(task) + (node?.clockSkewMs ?? 0);
    const judgment = judgeTooLong({ ...task, ranMs, maxMs: maxRunMs ?? 0 }, now.getTime());
    if (judgment !== null)
      await judgeCondition(judging, { nodeId: task.nodeId, node, task, report: asReport(judgment) });
  }
  for (const task of short) {
    const run = { ...task, durationMs: task.durationMs ?? 0, minMs: minRunMs ?? 0 };
    const node = nodes.get(task.nodeId) ?? null;
    await noteShortRun(judging, { task, node, judgment: judgeShorterThan(run, now.getTime()) });
  }
}

async function endUnexpected(
  judging: Judging,
  expectations: readonly ExpectationRow[],
  firing: readonly AlertRow[],
): Promise<void> {
  for (const { condition, nodeId, subject } of firing) {
    if (condition !== 'JobMissed' && condition !== 'JobOverlap') continue;
    const expected = expectations.find(({ jobId }) => jobId === nodeId);
    const holds = condition === 'JobMissed' ? hasStart : ({ maxConcurrent }: ExpectationRow) => maxConcurrent !== null;
    if (expected !== undefined && holds(expected)) continue;
    const report = asReport(judgeUnexpected({ condition, subject }, judging.now.getTime()));
    await judgeCondition(judging, { nodeId: nodeId ?? '', node: null, report });
  }
}

/** By the best that is known of it. */
function startOf({ startedAt, endedAt, receivedAt }: TaskRow): number {
  return (startedAt ?? endedAt ?? receivedAt).getTime();
}

function nameOf({ project, job }: ExpectationRow): string {
  return project === null ? job : `${project}/${job}`;
}
