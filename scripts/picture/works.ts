import { createHash } from 'node:crypto';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Cause, TaskEnding, TaskIdentity, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { randomFrom } from '../../test/support/random.ts';
import { type Machine, machines, stormed } from './machines.ts';

const GiB = 1024 ** 3;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface Work {
  readonly project: string;
  readonly job: string;
  readonly owner: string;
  readonly command: string;
  readonly on: 'gpu' | 'cpu';
  /** How long a run lasts, about. */
  readonly minutes: number;
  /** Of a thousand runs so many fail, so. */
  readonly fails: number;
  readonly how: Failure;
}

interface Failure {
  readonly status: TaskStatus;
  readonly cause: Cause;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly summary: string;
  readonly message: string;
  readonly proof: readonly (readonly [source: string, fact: string])[];
  readonly advice: readonly string[];
  readonly lines: readonly string[];
}

const outOfMemory: Failure = {
  status: 'killed_oom',
  cause: 'oom_limit',
  exitCode: null,
  signal: 'SIGKILL',
  summary: 'killed by the kernel: it reached its memory limit of 64 GiB',
  message: 'killed by the OOM killer at its memory limit',
  proof: [
    ['cgroup', 'memory.events: oom_kill 0 → 1, max 0 → 312'],
    ['kernel', 'python ended by signal 9'],
    ['systemd', 'unit result oom-kill'],
  ],
  advice: ['Give it more than 64 GiB (MemoryMax=), or lower the batch size: it held 63.9 GiB when it was killed.'],
  lines: [
    'epoch 3 step 1180 loss 2.113',
    'epoch 3 step 1190 loss 2.097',
    'saving checkpoint to /scratch/ckpt/step-1200',
  ],
};

const traceback: Failure = {
  status: 'failed',
  cause: 'exit_code',
  exitCode: 1,
  signal: null,
  summary: 'exited with 1: FileNotFoundError',
  message: "FileNotFoundError: [Errno 2] No such file or directory: '/data/corpus/shard-0192.parquet'",
  proof: [['systemd', 'main process exited with code 1']],
  advice: [],
  lines: [
    'reading /data/corpus/shard-0191.parquet',
    'Traceback (most recent call last):',
    '  File "tokenize.py", line 88, in <module>',
    '    table = pq.read_table(path)',
    "FileNotFoundError: [Errno 2] No such file or directory: '/data/corpus/shard-0192.parquet'",
  ],
};

const timedOut: Failure = {
  status: 'timed_out',
  cause: 'timeout',
  exitCode: null,
  signal: 'SIGTERM',
  summary: 'stopped at its time limit of 4 h (RuntimeMaxSec=)',
  message: 'reached its time limit',
  proof: [['systemd', 'unit result timeout']],
  advice: ['It had used 4 h; the usual run takes 2 h 40 m.'],
  lines: ['eval 812/1000', 'eval 813/1000'],
};

const gpuFault: Failure = {
  status: 'failed',
  cause: 'gpu_fault',
  exitCode: 134,
  signal: null,
  summary: 'exited with 134 after the GPU fell off the bus (Xid 79)',
  message: 'CUDA error: unspecified launch failure',
  proof: [
    ['kernel', 'NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.'],
    ['systemd', 'main process exited with code 134'],
  ],
  advice: ['Drain the node and reset the GPU: other tasks there will fail too.'],
  lines: ['step 40210 loss 1.874', 'CUDA error: unspecified launch failure'],
};

const works: readonly Work[] = [
  {
    project: 'lm',
    job: 'pretrain-7b',
    owner: 'mira',
    command: 'torchrun pretrain.py --config 7b.yaml',
    on: 'gpu',
    minutes: 300,
    fails: 40,
    how: gpuFault,
  },
  {
    project: 'lm',
    job: 'finetune-chat',
    owner: 'mira',
    command: 'python finetune.py --lora --epochs 3',
    on: 'gpu',
    minutes: 95,
    fails: 45,
    how: outOfMemory,
  },
  {
    project: 'lm',
    job: 'eval-suite',
    owner: 'jonas',
    command: 'python eval.py --suite all',
    on: 'gpu',
    minutes: 160,
    fails: 25,
    how: timedOut,
  },
  {
    project: 'lm',
    job: 'tokenize-corpus',
    owner: 'priya',
    command: 'python tokenize.py --shards 0-255',
    on: 'cpu',
    minutes: 35,
    fails: 50,
    how: traceback,
  },
  {
    project: 'vision',
    job: 'train-segmenter',
    owner: 'tomas',
    command: 'python train.py --model segmenter-b',
    on: 'gpu',
    minutes: 140,
    fails: 30,
    how: outOfMemory,
  },
  {
    project: 'vision',
    job: 'render-synthetic',
    owner: 'tomas',
    command: 'blender -b scenes/warehouse.blend -a',
    on: 'gpu',
    minutes: 55,
    fails: 10,
    how: timedOut,
  },
  {
    project: 'climate',
    job: 'downscale-era5',
    owner: 'aiko',
    command: 'python downscale.py --year 2024',
    on: 'cpu',
    minutes: 75,
    fails: 12,
    how: traceback,
  },
  {
    project: 'climate',
    job: 'ensemble-run',
    owner: 'aiko',
    command: 'mpirun -n 48 ./ensemble --members 20',
    on: 'cpu',
    minutes: 120,
    fails: 8,
    how: timedOut,
  },
  {
    project: 'ops',
    job: 'backup-postgres',
    owner: 'root',
    command: 'pg_basebackup -D /backup/pg',
    on: 'cpu',
    minutes: 18,
    fails: 5,
    how: traceback,
  },
  {
    project: 'ops',
    job: 'nightly-report',
    owner: 'root',
    command: 'python report.py --yesterday',
    on: 'cpu',
    minutes: 6,
    fails: 10,
    how: traceback,
  },
];

/** The ends of a machine's tasks over the days before `untilMs`, oldest first, and those that run there now. */
export function tasksOf(nth: number, { days, untilMs }: { days: number; untilMs: number }): EventBody[] {
  const random = randomFrom(nth + 7);
  const { name } = machines[nth] as Machine;
  const here = works.filter(({ on }) => name.startsWith(on));
  const told: EventBody[] = [];
  for (let atMs = untilMs - days * 24 * hourMs; ; ) {
    const work = here[Math.floor(random() ** 1.4 * here.length)] as Work;
    if (atMs > untilMs) return told;
    const durationMs = Math.round(work.minutes * minuteMs * (0.8 + 0.4 * random()));
    const identity = identityOf(work, { node: name, startedMs: atMs });
    if (atMs + durationMs > untilMs) return [...told, { kind: 'task_started', task: identity }];
    told.push(endOf(identity, { work, endedMs: atMs + durationMs, fails: random() * 1000 < work.fails }));
    atMs += durationMs + Math.round((3 + 40 * random()) * minuteMs);
  }
}

/** What the recorder kept of a task that grew until its limit: five minutes, a reading a second. */
export function recordingOf(body: EventBody): EventBody[] {
  if (body.kind !== 'task_ended' || body.ending.status !== 'killed_oom') return [];
  const random = randomFrom(3);
  const steps = Array.from({ length: 300 }, (_, step) => step / 299);
  const noise = (most: number) => most * (random() - 0.5);
  return [
    {
      kind: 'task_recording',
      task_id: body.task.id,
      recording: {
        interval_ms: 1000,
        until: body.ending.ended_at,
        complete_until: body.ending.ended_at,
        task: {
          memory_bytes: steps.map((done) => Math.min(64, 34 + 30 * done ** 2.2 + noise(0.8)) * GiB),
          memory_limit_bytes: steps.map(() => 64 * GiB),
          memory_stall_percent: steps.map((done) => 40 * done ** 12 + Math.abs(noise(0.6))),
          io_stall_percent: steps.map(() => 2 + noise(2)),
          cpu_percent: steps.map((done) => (done > 0.97 ? 140 : 780) + noise(120)),
        },
        node: {
          memory_bytes: steps.map((done) => (212 + 30 * done ** 2.2 + noise(2)) * GiB),
          cpu_percent: steps.map(() => 46 + noise(9)),
        },
      },
    },
  ];
}

/** The newest failures: a job that runs out of memory on two machines, and a GPU that fell off the bus. */
export function newestFailures(nowMs: number): { readonly nth: number; readonly body: EventBody }[] {
  const failed = (nth: number, job: string, agoMs: number) => {
    const work = works.find((one) => one.job === job) as Work;
    const startedMs = nowMs - agoMs - work.minutes * minuteMs * 0.6;
    const identity = identityOf(work, { node: machines[nth]?.name ?? '', startedMs });
    return { nth, body: endOf(identity, { work, endedMs: nowMs - agoMs, fails: true }) };
  };
  return [
    failed(2, 'finetune-chat', 9 * minuteMs),
    failed(9, 'finetune-chat', 6 * minuteMs),
    failed(11, 'finetune-chat', 4 * minuteMs),
    failed(stormed, 'pretrain-7b', 2 * minuteMs),
  ];
}

function identityOf(work: Work, { node, startedMs }: { node: string; startedMs: number }): TaskIdentity {
  const { project, job, owner, command } = work;
  const id = createHash('sha256').update(`${node} ${job} ${startedMs}`).digest('hex').slice(0, 16);
  const taskId = String(41_000 + (Math.floor(startedMs / minuteMs) % 50_000));
  return {
    id,
    task_id: taskId,
    name: job,
    job,
    project,
    owner,
    source: 'systemd',
    unit: `slurm-${taskId}.scope`,
    container_id: null,
    command,
    started_at: toInstant(startedMs),
  };
}

function endOf(
  task: TaskIdentity,
  { work, endedMs, fails }: { work: Work; endedMs: number; fails: boolean },
): EventBody {
  const at = toInstant(endedMs);
  const durationMs = endedMs - Date.parse(task.started_at ?? '');
  const { how } = work;
  const ending: TaskEnding = {
    status: fails ? how.status : 'completed',
    exit_code: fails ? how.exitCode : 0,
    signal: fails ? how.signal : null,
    ended_at: at,
    ended_at_approximate: false,
    duration_ms: durationMs,
    cpu_ms: durationMs * 9,
    memory_peak_bytes: fails && how === outOfMemory ? 64 * GiB : 21.4 * GiB,
    memory_limit_bytes: 64 * GiB,
    error_message: fails ? how.message : null,
    verdict: fails
      ? {
          cause: how.cause,
          confidence: 'proven',
          summary: how.summary,
          evidence: how.proof.map(([source, fact]) => ({ source, at, fact })),
          advice: [...how.advice],
        }
      : { cause: 'success', confidence: 'proven', summary: 'ended well (exit code 0)', evidence: [], advice: [] },
  };
  return { kind: 'task_ended', task, ending, log_tail: fails ? [...how.lines] : null };
}
