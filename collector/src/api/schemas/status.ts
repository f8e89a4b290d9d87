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
  }),
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
});
export type CollectorStatus = z.infer<typeof collectorStatus>;
