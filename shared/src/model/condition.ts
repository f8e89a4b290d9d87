import * as z from 'zod/mini';
import { instant } from './instant.ts';

/** Every condition a user can meet; the names are public (API, webhook, configuration). */
export const conditionType = z.enum([
  'MemoryPressure',
  'HighLoad',
  'DiskPressure',
  'InodePressure',
  'ProcessMemoryPressure',
  'ProcessHighCPU',
  'ComponentUnreachable',
  'UnitFailed',
  'RestartLoop',
  'NodeFailsFast',
  'JobMissed',
  'JobOverlap',
  'TaskFailed',
  'TaskOomKill',
  'TaskStalled',
  'TaskOverrun',
  'TaskTooShort',
  'MemoryExhaustionPredicted',
  'DiskFullPredicted',
  'GpuFault',
  'ClockSkew',
  'AgentCloned',
  'SpoolOverflow',
  'TaskGhost',
  'SchedulerUnreachable',
  'SourceBlind',
  'DeliveryFailed',
]);
export type ConditionType = z.infer<typeof conditionType>;

/** Which of our programs a condition speaks of. Host conditions are on `agent` only. */
export const component = z.enum(['agent', 'collector', 'database']);
export type Component = z.infer<typeof component>;

/** `unknown`: a reading is missing. It neither fires nor resolves anything. */
export const conditionStatus = z.enum(['true', 'false', 'unknown']);
export type ConditionStatus = z.infer<typeof conditionStatus>;

export const severity = z.enum(['info', 'warning', 'critical']);
export type Severity = z.infer<typeof severity>;

/** One judgment of one condition on one subject, as reported when it changes. */
export const conditionReport = z.object({
  condition: conditionType,
  component,
  /** What it is about inside the node: '' for the node itself, else for example a process rule's name. */
  subject: z.string(),
  status: conditionStatus,
  severity,
  /** One clause for people: `/ 92% used, /data 97% used (threshold 90%)`. */
  reason: z.string(),
  /** The worst value judged, in the condition's own unit (percent, load, bytes); null when unread. */
  value: z.nullable(z.number()),
  threshold: z.nullable(z.number()),
  /** When the status began. */
  since: instant,
});
export type ConditionReport = z.infer<typeof conditionReport>;
