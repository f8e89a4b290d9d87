import { conditionReport, conditionType } from '@runnerwatch/shared/model/condition.ts';
import { gap } from '@runnerwatch/shared/model/event.ts';
import { inventory, nodeStatus, sourceState } from '@runnerwatch/shared/model/node.ts';
import { nodeSample } from '@runnerwatch/shared/model/sample.ts';
import * as z from 'zod';
import { nodeSorts } from '../../nodes/order.ts';
import { moment, paging } from './paging.ts';

export const nodeCondition = z.object({
  ...conditionReport.shape,
  incident_id: z.string().nullable().describe('Of the alert that fires because of it.'),
});

export const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  status: nodeStatus,
  draining: z.boolean(),
  labels: z.record(z.string(), z.string()),
  inventory: z.nullable(inventory),
  sources: z.array(sourceState),
  boot_id: z.string().nullable(),
  agent_version: z.string().nullable(),
  remote_address: z.string().nullable(),
  first_seen_at: z.string(),
  connected_at: z.string().nullable(),
  last_heard_at: z.string().nullable(),
  goodbye_reason: z.string().nullable(),
  clock_skew_ms: z.number().nullable(),
  conditions: z.array(nodeCondition),
  running_tasks: z.int(),
  sample: z.nullable(nodeSample),
});

export const nodeDetail = nodeSchema.extend({
  thresholds: z
    .record(z.string(), z.number())
    .describe(
      'Above which its agent finds a condition of the whole node, by condition, in its own unit (percent, load): as it last judged.',
    ),
});

export const nodeGap = z.object({ id: z.string(), at: z.string(), ...gap.shape });

/** A node in short; `sources`: only those that do not see everything. */
export const fleetNode = nodeSchema
  .pick({ id: true, name: true, status: true, running_tasks: true, sources: true })
  .extend({ conditions: z.array(conditionReport) });

export const nodeQuery = z.object({
  ...paging,
  search: z.string().max(256).optional().describe("Part of a name or of a label's value."),
  status: z.enum(['online', 'offline', 'stopped', 'draining']).optional(),
  condition: z
    .enum(['any', ...conditionType.options])
    .optional()
    .describe('Nodes on which this condition is true; `any`: any of them.'),
  sort: z
    .enum(nodeSorts)
    .default('name')
    .describe(
      '`health`: the worst that is to be said of it. `cpu`, `memory`, `load` (for each CPU), `disk` (the fullest): live readings, so that a node may change places between two pages. Those without one come last.',
    ),
  order: z
    .enum(['asc', 'desc'])
    .optional()
    .describe('When left out: names from A on, the longest silence first, of everything else the worst first.'),
});

const reading = z.number().nullable();
export const samplePoint = z.object({
  at: z.string(),
  cpu_percent: reading,
  load1: reading,
  memory_used_percent: reading,
  memory_available_bytes: reading,
  disk_used_percent_max: reading,
  network_rx_bytes_per_s: reading,
  network_tx_bytes_per_s: reading,
  psi_memory_some: reading,
  psi_cpu_some: reading,
  psi_io_some: reading,
});

export const sampleQuery = z.object({
  from: moment.default('1h'),
  to: moment.optional(),
  step: z
    .string()
    .max(16)
    .optional()
    .describe('Readings of one step become one point, such as `10s`; chosen by the range when absent.'),
});

export const nodeParams = z.object({ id: z.string().max(512).describe("A node's id, or its name.") });

export const drainBody = z
  .object({
    draining: z.boolean().default(true).describe('false: the same as undrain.'),
    by: z.string().trim().min(1).max(200).optional().describe('Who drains it.'),
    reason: z.string().trim().min(1).max(1000).optional(),
  })
  .nullish();
