import type { ConditionReport, Node, Task, Verdict } from '../data/api-types.ts';

/** A colour by its meaning: `data-tone` gives an element `--tone` (text) and `--fill` (areas), see tokens.css. */
export type Tone = 'good' | 'info' | 'warning' | 'critical' | 'memory' | 'idle';
export type Severity = ConditionReport['severity'];

export const taskTones: Readonly<Record<Task['status'], Tone>> = {
  running: 'info',
  completed: 'good',
  failed: 'critical',
  killed: 'warning',
  killed_oom: 'memory',
  timed_out: 'warning',
  lost: 'idle',
  unknown: 'idle',
};

export const nodeTones: Readonly<Record<Node['status'], Tone>> = {
  online: 'good',
  draining: 'info',
  offline: 'critical',
  stopped: 'idle',
  never_seen: 'idle',
};

export const severityTones: Readonly<Record<Severity, Tone>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
};

export const causeTones: Readonly<Record<Verdict['cause'], Tone>> = {
  success: 'good',
  exit_code: 'critical',
  signal: 'critical',
  oom_limit: 'memory',
  oom_host: 'memory',
  oom_child: 'memory',
  timeout: 'warning',
  stopped_by_user: 'warning',
  stopped_by_system: 'warning',
  start_failed: 'critical',
  node_lost: 'idle',
  gpu_fault: 'critical',
  disk_full: 'critical',
  unknown: 'idle',
};
