import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { Inventory, NodeStatus, SourceState } from '@runnerwatch/shared/model/node.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';

/** A node as stored. */
export interface NodeRow {
  readonly id: string;
  readonly name: string;
  readonly status: 'online' | 'offline' | 'stopped' | 'never_seen';
  readonly draining: boolean;
  readonly labels: Record<string, string>;
  readonly inventory: Inventory | null;
  readonly sources: SourceState[];
  readonly bootId: string | null;
  readonly agentVersion: string | null;
  readonly remoteAddress: string | null;
  readonly heartbeatIntervalMs: number;
  readonly firstSeenAt: Date;
  readonly connectedAt: Date | null;
  readonly lastHeardAt: Date;
  readonly deadlineAt: Date | null;
  readonly goodbyeReason: string | null;
  readonly clockSkewMs: number | null;
}

/** A node as everyone outside sees it. */
export interface NodeRecord {
  readonly id: string;
  readonly name: string;
  readonly status: NodeStatus;
  /** No notifications for it; `status` says so while it is online. */
  readonly draining: boolean;
  readonly labels: Record<string, string>;
  readonly inventory: Inventory | null;
  readonly sources: SourceState[];
  readonly boot_id: string | null;
  readonly agent_version: string | null;
  readonly remote_address: string | null;
  readonly first_seen_at: string;
  readonly connected_at: string | null;
  /** Null when no agent has ever spoken for it. */
  readonly last_heard_at: string | null;
  readonly goodbye_reason: string | null;
  /** How far its clock is ahead of the collector's; negative: behind; null: not known. */
  readonly clock_skew_ms: number | null;
  /** Conditions that are true or unknown now. */
  readonly conditions: RaisedCondition[];
  readonly running_tasks: number;
  /** The newest reading, while its agent is connected. */
  readonly sample: NodeSample | null;
}

export interface RaisedCondition extends ConditionReport {
  /** Of the alert that fires because of it. */
  readonly incident_id: string | null;
}

export interface NodeSurroundings {
  readonly conditions: RaisedCondition[];
  readonly runningTasks: number;
  readonly sample: NodeSample | null;
}

export function nodeRecord(row: NodeRow, { conditions, runningTasks, sample }: NodeSurroundings): NodeRecord {
  return {
    id: row.id,
    name: row.name,
    status: shownStatus(row),
    draining: row.draining,
    labels: row.labels,
    inventory: row.inventory,
    sources: row.sources,
    boot_id: row.bootId,
    agent_version: row.agentVersion,
    remote_address: row.remoteAddress,
    first_seen_at: row.firstSeenAt.toISOString(),
    connected_at: row.connectedAt?.toISOString() ?? null,
    last_heard_at: row.status === 'never_seen' ? null : row.lastHeardAt.toISOString(),
    goodbye_reason: row.goodbyeReason,
    clock_skew_ms: row.clockSkewMs,
    conditions,
    running_tasks: runningTasks,
    sample,
  };
}

export function shownStatus({ status, draining }: Pick<NodeRow, 'status' | 'draining'>): NodeStatus {
  return status === 'online' && draining ? 'draining' : status;
}
