import * as z from 'zod/mini';
import { instant } from './instant.ts';

export const nodeStatus = z.enum(['online', 'offline', 'draining', 'stopped', 'never_seen']);
export type NodeStatus = z.infer<typeof nodeStatus>;

/** A place an agent hears from, and whether it can: `seeing`, `degraded` (some), `blind` (nothing), `off` (by configuration or absent). */
export const sourceState = z.object({
  name: z.string(),
  state: z.enum(['seeing', 'degraded', 'blind', 'off']),
  /** Why, and what would cure it; null while seeing. */
  reason: z.nullable(z.string()),
  since: instant,
});
export type SourceState = z.infer<typeof sourceState>;

/** What changes rarely, read once and on change. */
export const inventory = z.object({
  os: z.nullable(z.string()),
  kernel: z.nullable(z.string()),
  architecture: z.nullable(z.string()),
  cpu_model: z.nullable(z.string()),
  cpu_count: z.nullable(z.int()),
  memory_total_bytes: z.nullable(z.number()),
  virtualization: z.nullable(z.string()),
});
export type Inventory = z.infer<typeof inventory>;

export const nodeDescription = z.object({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  boot_id: z.nullable(z.string()),
  inventory: z.nullable(inventory),
  sources: z.array(sourceState),
});
export type NodeDescription = z.infer<typeof nodeDescription>;
