import type { Redact } from '@runnerwatch/shared/redact/redact.ts';
import { finishText } from './finish.ts';

/**
 * A copy of whatever leaves the node, every text of it finished: also those of fields that are thought of later. What a thing
 * is known by stays as it is, and so do last lines, which are finished where they are put together.
 */
export function withoutSecrets<T>(value: T, redact: Redact): T {
  return finished(value, '', redact) as T;
}

const kept: ReadonlySet<string> = new Set([
  'kind',
  'id',
  'task_id',
  'node_id',
  'boot_id',
  'container_id',
  'unit',
  'log_tail',
  'error_excerpt',
  'recording',
]);

function finished(value: unknown, field: string, redact: Redact): unknown {
  if (kept.has(field)) return value;
  if (typeof value === 'string') return finishText(value, redact);
  if (Array.isArray(value)) return value.map((item) => finished(item, '', redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, finished(inner, name, redact)]));
}
