import type { ConditionFacts, Notification, TaskFacts } from '@runnerwatch/shared/model/notification.ts';

/* One notification of every kind that people meet, for the messages made of them. */

const at = '2026-11-22T12:00:00.000Z';
export const gpuNode = { id: 'node-7', name: 'gpu-7', status: 'online', labels: { rack: 'r1' } } as const;
const incident = {
  id: '0199f3a0-0000-7000-8000-000000000001',
  status: 'open',
  title: 'train-42 failed on gpu-7',
  severity: 'critical',
  url: 'https://watch.example.org/#/incidents/0199f3a0-0000-7000-8000-000000000001',
} as const;

export const failedTask: TaskFacts = {
  id: 'task-1',
  task_id: '7201938475',
  name: 'train-42',
  job: 'train',
  project: 'ml-team',
  owner: 'ada',
  source: 'systemd',
  unit: 'train-42.scope',
  container_id: null,
  command: 'python train.py --epochs 10',
  node: 'gpu-7',
  node_id: 'node-7',
  status: 'failed',
  exit_code: 1,
  signal: null,
  started_at: '2026-11-22T10:00:00.000Z',
  ended_at: '2026-11-22T11:59:59.000Z',
  ended_at_approximate: false,
  duration_ms: 7_199_000,
  cpu_ms: 7_000_000,
  memory_peak_bytes: 3 * 1024 ** 3,
  memory_limit_bytes: 4 * 1024 ** 3,
  error_message: 'ValueError: bad batch',
  verdict: {
    cause: 'exit_code',
    confidence: 'proven',
    summary: 'Failed with exit 1.',
    evidence: [
      { source: 'systemd', at: '2026-11-22T11:59:59.000Z', fact: 'main process exited, code=exited, status=1' },
    ],
    advice: ['look at the last lines of its log'],
  },
  amendments: 0,
  log_tail: ['epoch 9', 'ValueError: bad batch'],
  error_excerpt: ['Traceback (most recent call last):', 'ValueError: bad batch'],
};

export const oomTask: TaskFacts = {
  ...failedTask,
  status: 'killed_oom',
  exit_code: null,
  signal: 'SIGKILL',
  memory_peak_bytes: 4 * 1024 ** 3,
  error_message: null,
  verdict: {
    cause: 'oom_limit',
    confidence: 'proven',
    summary: 'Killed for want of memory: its cgroup reached its limit of 4 GiB.',
    evidence: [{ source: 'kernel', at: '2026-11-22T11:59:58.000Z', fact: 'oom-kill of pid 4711 (python)' }],
    advice: ['give it more than 4 GiB, or a smaller batch'],
  },
  error_excerpt: null,
};

export const pressure: ConditionFacts = {
  type: 'MemoryPressure',
  active: true,
  reason: 'memory 95% used (threshold 90%)',
  since: '2026-11-22T11:48:00.000Z',
  component: 'agent',
};

function told(more: Partial<Notification> & Pick<Notification, 'type' | 'transition'>): Notification {
  return { version: 1, id: `0199f3a0-${more.type}`, at, incident, node: gpuNode, repeat: 0, ...more };
}

const {
  log_tail: _log,
  error_excerpt: _excerpt,
  ...lostTask
} = {
  ...failedTask,
  status: 'lost' as const,
  exit_code: null,
  verdict: null,
};

export const samples = {
  failed: told({ type: 'task.ended', transition: 'fired', task: failedTask }),
  oom: told({ type: 'task.ended', transition: 'fired', task: oomTask }),
  escalated: told({
    type: 'task.ended',
    transition: 'escalated',
    task: failedTask,
    escalation: { since: '2026-11-22T11:45:00.000Z', told: [{ receiver: 'ops', at: '2026-11-22T11:45:00.000Z' }] },
  }),
  amended: told({ type: 'task.amended', transition: 'amended', task: oomTask }),
  completed: told({
    type: 'task.ended',
    transition: 'ended',
    incident: null,
    task: {
      ...failedTask,
      status: 'completed',
      exit_code: 0,
      error_message: null,
      error_excerpt: null,
      verdict: { cause: 'success', confidence: 'proven', summary: 'Ended well (exit 0).', evidence: [], advice: [] },
    },
  }),
  unreachable: told({
    type: 'node.unreachable',
    transition: 'unreachable',
    node: { ...gpuNode, status: 'offline' },
    condition: {
      ...pressure,
      type: 'ComponentUnreachable',
      reason: 'last heard 30 s ago (heartbeat_timeout 30s)',
    },
    group: ['train-1', 'train-2', 'train-3'].map((name) => ({ task: { ...lostTask, name, task_id: name } })),
  }),
  recovered: told({
    type: 'node.recovered',
    transition: 'resolved',
    incident: { ...incident, status: 'resolved' },
    condition: { ...pressure, type: 'ComponentUnreachable', active: false, reason: 'heard again' },
  }),
  fired: told({
    type: 'condition.fired',
    transition: 'fired',
    incident: { ...incident, severity: 'warning' },
    condition: pressure,
  }),
  renotified: told({
    type: 'condition.renotified',
    transition: 'renotified',
    incident: { ...incident, severity: 'warning' },
    condition: pressure,
    repeat: 4,
  }),
  resolved: told({
    type: 'condition.resolved',
    transition: 'resolved',
    incident: { ...incident, severity: 'warning', status: 'resolved' },
    condition: { ...pressure, active: false, reason: 'memory 40% used' },
  }),
  test: told({ type: 'test', transition: 'test', incident: null, node: null }),
} satisfies Record<string, Notification>;

/** What only those hear who keep an incident of their own. */
export const mirrored = {
  acknowledged: told({
    type: 'incident.acknowledged',
    transition: 'acknowledged',
    condition: pressure,
    acknowledged: { by: 'ada', note: 'disk ordered', until: null },
  }),
  over: told({
    type: 'incident.resolved',
    transition: 'resolved',
    incident: { ...incident, status: 'resolved' },
    condition: { ...pressure, active: false, reason: 'acknowledged by ada: bad batch' },
  }),
} satisfies Record<string, Notification>;
