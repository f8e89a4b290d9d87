import * as z from 'zod';

const count = z.int().nullable();

/** How the collector itself is doing. Null: could not be read. */
export const collectorStatus = z.object({
  version: z.string(),
  started_at: z.string(),
  uptime_ms: z.number(),
  agents: z.object({ connected: count }),
  nodes_by_status: z.record(z.string(), z.int()).nullable(),
  incidents_open: count,
  database: z.object({ kind: z.enum(['embedded', 'server']), healthy: z.boolean(), reason: z.string().nullable() }),
  queues: z.object({ events_unjudged: count, notifications_pending: count, notifications_dead: count }),
  notification_latency: z.object({
    count: z.int(),
    p50_ms: z.number().nullable(),
    p90_ms: z.number().nullable(),
    p99_ms: z.number().nullable(),
    /** Within which everybody is to be told. */
    promise_ms: z.number(),
    /** Deliveries since the start that took longer. */
    later_count: z.int(),
  }),
  /** Of the configuration, and people's own targets while they are in trouble. `paused`: left alone until `next_attempt_at`. */
  receivers: z.array(
    z.object({
      receiver: z.string(),
      state: z.enum(['working', 'failing', 'paused']),
      failures_in_row: z.int(),
      failing_since: z.string().nullable(),
      next_attempt_at: z.string().nullable(),
      last_error: z.string().nullable(),
      /** Notifications to it were given up, and it has taken none since. */
      has_given_up: z.boolean(),
    }),
  ),
  /** Of the configuration, with the reason while one cannot be read. */
  schedulers: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['hakuriver', 'kohakuriver']),
      state: z.enum(['starting', 'reading', 'unreachable']),
      reason: z.string().nullable(),
      last_read_at: z.string().nullable(),
      running: count,
    }),
  ),
  /** Nodes whose agents tell people when this collector is silent, in the order in which they speak. */
  deputies: z.array(z.object({ rank: z.int(), node_id: z.string(), node: z.string(), connected: z.boolean() })),
});
export type CollectorStatus = z.infer<typeof collectorStatus>;
