import { notFound } from '@runnerwatch/collector/api/errors.ts';
import type { FastifyPluginAsync } from 'fastify';

/* A small fleet as the API tells it, with everything that can be seen on a screen: for the command line's tests. */

const minutesAgo = (now: number, minutes: number) => new Date(now - minutes * 60_000).toISOString();

const GiB = 1024 ** 3;

interface Given {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly [key: string]: unknown;
}

function node(now: number, given: Given) {
  return {
    labels: {},
    inventory: {
      os: 'Debian GNU/Linux 12',
      kernel: '6.1.0-25',
      architecture: 'x86_64',
      cpu_model: 'EPYC',
      cpu_count: 32,
      memory_total_bytes: 128 * GiB,
      virtualization: null,
    },
    sources: [
      { name: 'systemd', state: 'seeing', reason: null, since: minutesAgo(now, 60) },
      { name: 'process-exits', state: 'seeing', reason: null, since: minutesAgo(now, 60) },
    ],
    agent_version: '0.1.0',
    last_heard_at: minutesAgo(now, 0),
    conditions: [],
    sample: sample(now, {}),
    ...given,
  };
}

function sample(now: number, given: Record<string, unknown>) {
  return {
    at: minutesAgo(now, 0),
    uptime_s: 400_000,
    cpu_count: 32,
    cpu_percent: 63,
    load1: 21.4,
    load5: 19.8,
    load15: 18,
    memory_total_bytes: 128 * GiB,
    memory_available_bytes: 47 * GiB,
    disks: [
      {
        mount: '/',
        device: '/dev/nvme0n1p2',
        fstype: 'ext4',
        total_bytes: 900 * GiB,
        used_bytes: 410 * GiB,
        available_bytes: 490 * GiB,
        used_percent: 46,
        inodes_used_percent: 12,
      },
    ],
    ...given,
  };
}

export function fleetNodes(now: number) {
  return [
    node(now, { id: '5f0c2a9e-0000-4000-8000-000000000001', name: 'gpu-1', status: 'online' }),
    node(now, {
      id: '5f0c2a9e-0000-4000-8000-000000000002',
      name: 'gpu-2',
      status: 'online',
      conditions: [
        {
          condition: 'DiskPressure',
          component: 'agent',
          subject: '',
          status: 'true',
          severity: 'warning',
          reason: '/data 97% used (threshold 90%)',
          value: 97,
          threshold: 90,
          since: minutesAgo(now, 12),
        },
        {
          condition: 'InodePressure',
          component: 'agent',
          subject: '',
          status: 'unknown',
          severity: 'warning',
          reason: '/scratch counts no inodes',
          value: null,
          threshold: 90,
          since: minutesAgo(now, 12),
        },
      ],
      sources: [
        { name: 'systemd', state: 'seeing', reason: null, since: minutesAgo(now, 60) },
        {
          name: 'docker',
          state: 'blind',
          reason: 'no right to open /run/docker.sock; add the agent to the group docker',
          since: minutesAgo(now, 60),
        },
        {
          name: 'process-exits',
          state: 'degraded',
          reason: 'no CAP_NET_ADMIN: exits of other users’ scopes have no code',
          since: minutesAgo(now, 60),
        },
        { name: 'podman', state: 'off', reason: 'no socket found', since: minutesAgo(now, 60) },
      ],
      sample: sample(now, {
        cpu_percent: 97,
        load1: 70.2,
        memory_available_bytes: 6 * GiB,
        disks: [
          {
            mount: '/data',
            device: '/dev/md0',
            fstype: 'xfs',
            total_bytes: 9000 * GiB,
            used_bytes: 8730 * GiB,
            available_bytes: 270 * GiB,
            used_percent: 97,
            inodes_used_percent: null,
          },
        ],
      }),
    }),
    node(now, {
      id: '5f0c2a9e-0000-4000-8000-000000000003',
      name: 'cpu-12',
      status: 'offline',
      last_heard_at: minutesAgo(now, 7),
    }),
  ];
}

const advice = [
  'Raise MemoryMax= of the unit above the 2 GiB it was allowed, or lower the batch size.',
  'Its memory grew to the end: look for what it keeps.',
];

export function fleetTasks(now: number) {
  const task = (given: Given & { ended_at?: string | null }) => ({
    job: null,
    project: null,
    owner: null,
    node: 'gpu-1',
    source: 'systemd',
    unit: null,
    container_id: null,
    command: null,
    exit_code: null,
    signal: null,
    started_at: minutesAgo(now, 40),
    ended_at: minutesAgo(now, 4),
    ended_at_approximate: false,
    duration_ms: 2_160_000,
    cpu_ms: 8_130_000,
    memory_peak_bytes: 2 * GiB,
    memory_limit_bytes: null,
    error_message: null,
    amendments: 0,
    log_tail: null,
    ...given,
  });
  const verdict = (cause: string, summary: string, more: Record<string, unknown> = {}) => ({
    cause,
    confidence: 'proven',
    summary,
    evidence: [],
    advice: [],
    ...more,
  });
  return [
    task({
      id: 'a1f09c4de7b2',
      task_id: 'a1f09c4de7b2',
      name: 'finetune-7b',
      status: 'running',
      ended_at: null,
      duration_ms: null,
      verdict: null,
      command: 'python finetune.py --model 7b',
      job: 'finetune',
      project: 'lm',
    }),
    task({
      id: 'b7c20d11a9f3',
      task_id: '7718-4',
      name: 'train-llm-shard-4',
      job: 'train',
      project: 'lm',
      owner: 'ada',
      status: 'killed_oom',
      signal: 'SIGKILL',
      unit: 'hakuriver-task-7718.scope',
      command: 'python train.py --shard 4 --batch-size 64 --data /data/corpus',
      memory_limit_bytes: 2 * GiB,
      error_message: 'killed by the OOM killer at its memory limit',
      verdict: verdict('oom_limit', 'Killed by the kernel because it reached its own memory limit of 2 GiB', {
        evidence: [
          {
            source: 'cgroup',
            at: minutesAgo(now, 4),
            fact: 'memory.events of hakuriver-task-7718.scope: oom_kill 0 → 1',
          },
          { source: 'kernel', at: minutesAgo(now, 4), fact: 'process 48121 (python) ended by signal 9' },
          { source: 'systemd', at: minutesAgo(now, 4), fact: 'unit result oom-kill' },
        ],
        advice,
      }),
      log_tail: ['step 1180 loss 2.113', 'step 1190 loss 2.097', 'step 1200 loss 2.088', 'saving checkpoint …'],
    }),
    task({
      id: 'c3e8f0a2b664',
      task_id: 'c3e8f0a2b664',
      name: 'preprocess',
      node: 'gpu-2',
      status: 'failed',
      exit_code: 3,
      ended_at: minutesAgo(now, 11),
      duration_ms: 850,
      command: "sh -c 'exit 3'",
      error_message: 'exit code 3',
      verdict: verdict('exit_code', 'Ended with exit code 3'),
    }),
    task({
      id: 'd4a1b2c3d4e5',
      task_id: 'd4a1b2c3d4e5',
      name: 'nightly-eval',
      status: 'completed',
      exit_code: 0,
      ended_at: minutesAgo(now, 31),
      verdict: verdict('success', 'Ended well (exit code 0)'),
    }),
    task({
      id: 'e5b2c3d4e5f6',
      task_id: 'e5b2c3d4e5f6',
      name: 'render\u001b[2Jforged\nline',
      node: 'cpu-12',
      status: 'lost',
      ended_at: minutesAgo(now, 7),
      ended_at_approximate: true,
      duration_ms: null,
      verdict: verdict('node_lost', 'Its node cpu-12 has not been heard since 7 minutes', { confidence: 'likely' }),
    }),
    task({
      id: 'f6c3d4e5f6a7',
      task_id: 'f6c3d4e5f6a7',
      name: 'segfaulting-tool',
      status: 'killed',
      signal: 'SIGTERM',
      ended_at: minutesAgo(now, 62),
      duration_ms: 12_345,
      verdict: verdict('stopped_by_user', 'Stopped by ada with systemctl stop'),
    }),
    task({
      id: '07d4e5f6a7b8',
      task_id: '07d4e5f6a7b8',
      name: 'hyperparameter-search',
      status: 'timed_out',
      ended_at: minutesAgo(now, 180),
      duration_ms: 7_200_000,
      verdict: verdict('timeout', 'Reached its time limit of 2 hours'),
    }),
    task({
      id: '18e5f6a7b8c9',
      task_id: '18e5f6a7b8c9',
      name: 'import',
      status: 'unknown',
      ended_at: minutesAgo(now, 1500),
      duration_ms: null,
      verdict: verdict('unknown', 'Ended, and nobody could see how: no right to hear process ends', {
        confidence: 'unknown',
      }),
    }),
  ];
}

export function fleetIncidents(now: number) {
  return [
    {
      id: '019ab3c2-f001-7000-8000-000000000001',
      title: 'Node cpu-12 is unreachable',
      status: 'open',
      severity: 'critical',
      opened_at: minutesAgo(now, 7),
      resolved_at: null,
      acknowledged_at: null,
      acknowledged_by: null,
      acknowledge_note: null,
      alerts: [
        {
          id: 'a1',
          condition: 'ComponentUnreachable',
          component: 'agent',
          node: 'cpu-12',
          subject: '',
          status: 'firing',
          severity: 'critical',
          reason: 'nothing heard for 30 s',
          fired_at: minutesAgo(now, 6),
          resolved_at: null,
          renotifications: 0,
        },
      ],
    },
    {
      id: '019ab3c2-f001-7000-8000-000000000002',
      title: 'DiskPressure on gpu-2',
      status: 'open',
      severity: 'warning',
      opened_at: minutesAgo(now, 12),
      resolved_at: null,
      acknowledged_at: minutesAgo(now, 3),
      acknowledged_by: 'ada',
      acknowledge_note: 'moving the corpus to the other array',
      alerts: [
        {
          id: 'a2',
          condition: 'DiskPressure',
          component: 'agent',
          node: 'gpu-2',
          subject: '',
          status: 'firing',
          severity: 'warning',
          reason: '/data 97% used (threshold 90%)',
          fired_at: minutesAgo(now, 12),
          resolved_at: null,
          renotifications: 0,
        },
      ],
    },
  ];
}

/** Routes that tell this fleet, in pages of at most `pageMax`; `posted` collects what was asked to change. */
export function recordedRoutes(
  now: number,
  { posted = [], pageMax = 3 }: { posted?: { path: string; body: unknown }[]; pageMax?: number } = {},
): FastifyPluginAsync {
  const nodes = fleetNodes(now);
  const tasks = fleetTasks(now);
  const incidents = fleetIncidents(now);
  const find = <T extends { id: string }>(items: readonly T[], what: string, id: string): T => {
    const found = items.find((item) => item.id === id);
    if (found === undefined) throw notFound(`${what} ${id}`);
    return found;
  };
  return async (app) => {
    app.get('/nodes', { config: { role: 'viewer' } }, async () => ({ items: nodes, next_cursor: null }));
    app.get('/nodes/:id/gaps', { config: { role: 'viewer' } }, async () => ({ items: [], next_cursor: null }));
    app.get<{ Params: { id: string } }>('/nodes/:id', { config: { role: 'viewer' } }, async ({ params }) =>
      find(nodes, 'node', params.id),
    );
    app.get<{ Querystring: Record<string, string>; Params: object }>(
      '/tasks',
      { config: { role: 'viewer' } },
      async ({ query }) => {
        const kept = tasks.filter(
          (task) =>
            (query['status'] === undefined || query['status'].split(',').includes(task.status)) &&
            (query['since'] === undefined || (task.ended_at ?? '') >= query['since']),
        );
        const from = Number(query['cursor'] ?? 0);
        const to = from + Math.min(pageMax, Number(query['limit'] ?? 50));
        return {
          items: kept.slice(from, to).map((task) => ({ ...task, log_tail: undefined })),
          next_cursor: to < kept.length ? String(to) : null,
        };
      },
    );
    app.get<{ Params: { id: string } }>('/tasks/:id', { config: { role: 'viewer' } }, async ({ params }) =>
      find(tasks, 'task', params.id),
    );
    app.get('/incidents', { config: { role: 'viewer' } }, async () => ({ items: incidents, next_cursor: null }));
    app.get<{ Params: { id: string } }>('/incidents/:id', { config: { role: 'viewer' } }, async ({ params }) =>
      find(incidents, 'incident', params.id),
    );
    app.post('/*', { config: { role: 'viewer' } }, async (request) => {
      posted.push({ path: request.url, body: request.body ?? null });
      return { ok: true };
    });
  };
}
