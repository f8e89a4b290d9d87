import { describe, expect, it } from 'vitest';
import type { Alert } from '../../data/api-types.ts';
import { silenceFor } from './silence-for.ts';

const alert: Alert = {
  id: '1',
  condition: 'TaskFailed',
  component: 'agent',
  node: 'gpu-1',
  node_id: 'n1',
  task_id: null,
  subject: '',
  status: 'firing',
  severity: 'critical',
  reason: 'failed',
  fired_at: '2026-11-22T03:00:00.000Z',
  resolved_at: null,
  renotified_at: null,
  renotifications: 0,
  flapping: false,
  calm_since: null,
};

describe('a silence for an incident', () => {
  it('begins with the conditions that fire and their nodes, each once', () => {
    const over: Alert = { ...alert, condition: 'HighLoad', node: 'gpu-9', status: 'resolved' };

    expect(silenceFor({ alerts: [alert, { ...alert, node: 'gpu-2' }, alert, over] })).toEqual({
      node: ['gpu-1', 'gpu-2'],
      condition: ['TaskFailed'],
    });
  });

  it('names no node where none is known', () => {
    expect(silenceFor({ alerts: [{ ...alert, node: null }] })).toEqual({ condition: ['TaskFailed'] });
  });
});
