import type { Notification } from '@runnerwatch/shared/model/notification.ts';

/* What templates are tried on: one of each shape that a notifier is told, by what people call it. */

const at = '2026-01-01T00:00:00.000Z';
const node = { id: 'made-up', name: 'node-1', status: 'online', labels: {} } as const;
const told = { version: 1, id: 'made-up', at, node, repeat: 0, transition: 'fired' } as const;
const incident = { id: 'made-up', status: 'open', title: 'made up', severity: 'critical', url: null } as const;

export const madeUp: readonly (readonly [string, Notification])[] = [
  [
    'a failed task',
    {
      ...told,
      type: 'task.ended',
      incident,
      task: {
        id: 'made-up',
        task_id: '1',
        name: 'train',
        job: 'train',
        project: null,
        owner: null,
        source: 'systemd',
        unit: 'train.scope',
        container_id: null,
        command: 'python train.py',
        node: node.name,
        node_id: node.id,
        status: 'failed',
        exit_code: 1,
        signal: null,
        started_at: at,
        ended_at: at,
        ended_at_approximate: false,
        duration_ms: 1000,
        cpu_ms: null,
        memory_peak_bytes: null,
        memory_limit_bytes: null,
        error_message: 'ValueError: made up',
        verdict: {
          cause: 'exit_code',
          confidence: 'proven',
          summary: 'Failed with exit 1.',
          evidence: [{ source: 'systemd', at, fact: 'main process exited, status=1' }],
          advice: ['look at the last lines of its log'],
        },
        amendments: 0,
        log_tail: ['ValueError: made up'],
      },
    },
  ],
  [
    'a condition',
    {
      ...told,
      type: 'condition.fired',
      incident,
      condition: { type: 'MemoryPressure', active: true, reason: 'made up', since: at, component: 'agent' },
    },
  ],
  ['a test', { ...told, type: 'test', transition: 'test', incident: null, node: null }],
];
