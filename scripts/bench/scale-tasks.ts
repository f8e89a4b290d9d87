/* A large installation's nodes and tasks, the same for the same seed. */
import type { TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import type { Database } from '../../collector/src/db/database.ts';
import { agents, conditionStates, jobExpectations, nodes, samples } from '../../collector/src/db/tables/schema.ts';
import { jobId } from '../../collector/src/tasks/jobs.ts';
import type { TaskRow } from '../../collector/src/tasks/row.ts';
import { saveTasks } from '../../collector/src/tasks/store.ts';
import { randomFrom } from '../../test/support/random.ts';

export const size = { nodes: 1000, jobs: 400, tasks: 200_000, running: 600, days: 60 } as const;
export const dayMs = 86_400_000;
export const rowsAtOnce = 1000;

export const nodeId = (index: number) => `5ca1e000-0000-4000-8000-${String(index).padStart(12, '0')}`;
export const nodeName = (index: number) => `gpu-${String(index).padStart(4, '0')}`;

/** Rows in parts that one statement takes. */
export function* parts<T>(rows: readonly T[]): Generator<T[]> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) yield rows.slice(from, from + rowsAtOnce);
}

const hostConditions = ['MemoryPressure', 'HighLoad', 'DiskPressure', 'InodePressure', 'ClockSkew'] as const;

/** A thousand nodes with what is known of each; one in fifty is away, one in twenty has a condition, one in ten cannot see everything. */
export async function seedNodes({ drizzle }: Database, nowMs: number): Promise<void> {
  const long = new Date(nowMs - 90 * dayMs);
  const indexes = Array.from({ length: size.nodes }, (_, index) => index);
  const known = indexes.map((index) => ({
    id: nodeId(index),
    name: nodeName(index),
    status: index % 50 === 49 ? ('offline' as const) : ('online' as const),
    draining: index % 100 === 7,
    labels: { rack: `r${index % 40}`, gpu: index % 3 === 0 ? 'a100' : 'l40s', site: `hall-${index % 4}` },
    inventory: {
      os: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.1.0-25-amd64',
      architecture: 'x64',
      cpu_model: 'AMD EPYC 7543 32-Core Processor',
      cpu_count: 64,
      memory_total_bytes: 512 * 1024 ** 3,
      virtualization: null,
    },
    sources: ['containers', 'journal', 'kernel-log', 'process-exits', 'systemd'].map((name) => ({
      name,
      state: index % 10 === 3 && name === 'containers' ? ('blind' as const) : ('seeing' as const),
      reason: index % 10 === 3 && name === 'containers' ? 'no right to open /run/docker.sock' : null,
      since: long.toISOString(),
    })),
    bootId: `boot-${index}`,
    agentVersion: '0.1.0',
    remoteAddress: `10.0.${index % 250}.7`,
    firstSeenAt: long,
    connectedAt: long,
    lastHeardAt: new Date(nowMs),
    deadlineAt: new Date(nowMs + dayMs),
    clockSkewMs: index % 7,
  }));
  for (const some of parts(known)) await drizzle.insert(nodes).values(some);
  const admitted = known.map(({ id, labels }) => ({ nodeId: id, keySha256: id, labels, admittedAt: long }));
  for (const some of parts(admitted)) await drizzle.insert(agents).values(some);
  const states = indexes.flatMap((index) =>
    hostConditions.map((condition, nth) => ({
      nodeId: nodeId(index),
      component: 'agent' as const,
      condition,
      subject: '',
      status: index % 20 === nth ? ('true' as const) : ('false' as const),
      severity: 'warning' as const,
      reason: index % 20 === nth ? '/scratch 97% used (threshold 90%)' : '/scratch 41% used (threshold 90%)',
      value: index % 20 === nth ? 97 : 41,
      threshold: 90,
      since: long,
      changedAt: long,
    })),
  );
  for (const some of parts(states)) await drizzle.insert(conditionStates).values(some);
  await seedReadings(drizzle, nowMs);
}

/** A day of readings of one node in a hundred, one every ten seconds as they are kept. */
async function seedReadings(drizzle: Database['drizzle'], nowMs: number): Promise<void> {
  for (let index = 0; index < size.nodes; index += 100) {
    const day = Array.from({ length: dayMs / 10_000 }, (_, nth) => ({
      nodeId: nodeId(index),
      at: new Date(nowMs - nth * 10_000),
      cpuPercent: 40 + (nth % 50),
      load1: 12 + (nth % 7),
      memoryUsedPercent: 30 + (nth % 60),
      memoryAvailableBytes: 300 * 1024 ** 3,
      diskUsedPercentMax: 41,
      networkRxBytesPerS: 1e6 * (nth % 9),
      networkTxBytesPerS: 1e5 * (nth % 9),
      psiMemorySome: 0,
      psiCpuSome: nth % 5,
      psiIoSome: 0.5,
    }));
    for (const some of parts(day)) await drizzle.insert(samples).values(some);
  }
}

/** The nth job; the first ones have most of the runs: its share of them falls as 1/n, so that the first has tens of thousands. */
export function job(index: number): { readonly project: string | null; readonly name: string } {
  return {
    project: index % 20 === 19 ? null : `project-${index % 20}`,
    name: `${words[index % words.length]}-${index}`,
  };
}

const words = ['train', 'eval', 'ingest', 'render', 'nightly', 'tokenize', 'backup', 'export'];
const failing = [
  ['failed', 'exit_code', 0.5],
  ['killed_oom', 'oom_limit', 0.7],
  ['killed', 'stopped_by_user', 0.8],
  ['timed_out', 'timeout', 0.88],
  ['lost', 'node_lost', 0.93],
  ['failed', 'gpu_fault', 0.97],
  ['unknown', 'unknown', 1],
] as const;

export type FailedTask = Pick<TaskRow, 'id' | 'nodeId' | 'name' | 'job' | 'project' | 'command'> & {
  readonly status: TaskStatus;
  readonly endedAt: Date;
  readonly verdict: Verdict;
};

/** Tasks of sixty days in the order of their ends, and those that run; returns the failures, oldest first. */
export async function seedTasks({ drizzle }: Database, nowMs: number): Promise<FailedTask[]> {
  const random = randomFrom(5);
  const chooseJob = weighted(random);
  const failures: FailedTask[] = [];
  let rows: TaskRow[] = [];
  for (let index = 0; index < size.tasks; index += 1) {
    const isRunning = index >= size.tasks - size.running;
    const endedMs = nowMs - size.days * dayMs * (1 - index / (size.tasks - size.running));
    const row = taskOf(index, { random, jobIndex: chooseJob(), endedMs: isRunning ? null : endedMs, nowMs });
    const { id, name, status, command, endedAt, verdict } = row;
    if (endedAt !== null && verdict !== null && status !== 'completed')
      failures.push({
        id,
        nodeId: row.nodeId,
        name,
        job: row.job,
        project: row.project,
        command,
        status,
        endedAt,
        verdict,
      });
    rows.push(row);
    if (rows.length < rowsAtOnce && index < size.tasks - 1) continue;
    await saveTasks(drizzle, rows);
    rows = [];
  }
  const expected = Array.from({ length: 40 }, (_, index) => ({ ...job(index), index }));
  await drizzle.insert(jobExpectations).values(
    expected.map(({ project, name }) => ({
      jobId: jobId({ project, name }),
      project,
      job: name,
      graceMs: 60_000,
      maxRunMs: 30 * dayMs,
      setAt: new Date(nowMs),
    })),
  );
  return failures;
}

interface Moment {
  readonly random: () => number;
  readonly jobIndex: number;
  /** Null: it runs. */
  readonly endedMs: number | null;
  readonly nowMs: number;
}

function taskOf(index: number, moment: Moment): TaskRow {
  const { random, jobIndex, endedMs, nowMs } = moment;
  const { project, name } = job(jobIndex);
  // Hours, so that none of those that run is overdue while it is measured.
  const durationMs = Math.round(2000 + random() * 10 * 3_600_000);
  const startedAt = new Date(endedMs === null ? nowMs - Math.round(random() * 60_000) : endedMs - durationMs);
  return {
    id: `task-${index.toString(16).padStart(8, '0')}`,
    taskId: String(700_000 + index),
    // The first node has a tenth of them all.
    nodeId: nodeId(Math.floor(random() ** 3 * size.nodes)),
    name: `${name}-${index}`,
    job: name,
    project,
    owner: `user-${jobIndex % 30}`,
    source: 'systemd',
    unit: `${name}-${index}.scope`,
    containerId: null,
    command: `python ${name}.py --epochs 10 --data /data/shard-${index % 64} --seed ${index}`,
    startedAt,
    endedAtApproximate: false,
    memoryLimitBytes: 16 * 1024 ** 3,
    scheduler: null,
    amendments: 0,
    receivedAt: endedMs === null ? startedAt : new Date(endedMs),
    ...(endedMs === null ? unended : endOf(index, { ...moment, endedMs, durationMs })),
  };
}

const unended = {
  status: 'running',
  exitCode: null,
  signal: null,
  endedAt: null,
  durationMs: null,
  cpuMs: null,
  memoryPeakBytes: null,
  errorMessage: null,
  verdict: null,
  cause: null,
  logTail: null,
  errorExcerpt: null,
} as const;

function endOf(
  index: number,
  { random, jobIndex, endedMs, nowMs, durationMs }: Moment & { readonly endedMs: number; readonly durationMs: number },
) {
  // The last day is a bad one.
  const isBad = endedMs > nowMs - dayMs;
  const fails = random() < (0.02 + 0.2 * ((jobIndex % 7) / 7) ** 2) * (isBad ? 5 : 1);
  const chance = random();
  const [status, cause] = fails
    ? (failing.find(([, , below]) => chance < below) ?? failing[0])
    : (['completed', 'success'] as const);
  const at = new Date(endedMs).toISOString();
  const lines = Array.from(
    { length: 20 },
    (_, line) => `step ${line * 10} loss ${(random() * 3).toFixed(4)} lr 0.0003 tokens ${index * 20 + line}`,
  );
  return {
    status,
    exitCode: status === 'failed' ? 1 : status === 'completed' ? 0 : null,
    signal: status.startsWith('killed') ? 'SIGKILL' : null,
    endedAt: new Date(endedMs),
    durationMs,
    cpuMs: durationMs * 3,
    memoryPeakBytes: 3 * 1024 ** 3,
    errorMessage: fails ? `RuntimeError: step ${index} went wrong` : null,
    verdict: {
      cause,
      confidence: 'proven' as const,
      summary: fails ? 'It did not end well, and the kernel says why.' : 'Ended well (exit code 0).',
      evidence: [
        { source: 'systemd', at, fact: `main process exited, code=exited, status=${fails ? 1 : 0}` },
        { source: 'cgroup', at, fact: 'memory.peak 3 GiB of 16 GiB' },
      ],
      advice: fails ? ['Look at the last lines of its log.'] : [],
    },
    cause,
    logTail: lines,
    errorExcerpt: fails ? lines.slice(-3) : null,
  };
}

function weighted(random: () => number): () => number {
  let sum = 0;
  const sums = Array.from({ length: size.jobs }, (_, index) => (sum += 1 / (index + 1)));
  return () => {
    const wanted = random() * sum;
    return sums.findIndex((upTo) => wanted < upTo);
  };
}
