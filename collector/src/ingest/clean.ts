import type { Event } from '@runnerwatch/shared/model/event.ts';

/*
 * What an agent says, made fit for our tables: texts cut at a character's boundary with a mark, lists shortened from their
 * old end with a count, characters that PostgreSQL cannot hold (NUL, lone surrogates) replaced, numbers within their columns.
 * What makes no sense as a whole (an instant that is none) refuses the event, with the field's path.
 */
export type Cleaned =
  | { readonly kind: 'clean'; readonly event: Event }
  | { readonly kind: 'refused'; readonly reason: string };

export function cleanEvent(event: Event): Cleaned {
  const wrong = unstorable(event);
  if (wrong !== undefined) return { kind: 'refused', reason: wrong };
  return { kind: 'clean', event: cleanRecord(event) };
}

/** Bytes a text may have, by its field; names that are indexed must stay well below a third of a page. */
const bytesMax: Readonly<Record<string, number>> = {
  command: 8192,
  id: 256,
  task_id: 512,
  name: 256,
  job: 256,
  project: 256,
  owner: 256,
  unit: 512,
  container_id: 256,
  subject: 256,
  agent_version: 128,
};
const otherBytesMax = 4096;
const itemsMax: Readonly<Record<string, number>> = {
  log_tail: 500,
  error_excerpt: 100,
  evidence: 50,
  advice: 20,
  sources: 64,
};
const otherItemsMax = 500;
const labelsMax = 64;
const labelBytesMax = 256;

/** A copy of any of our records with its texts and lists within bounds. */
export function cleanRecord<T>(value: T): T {
  return clean(value, '') as T;
}

function clean(value: unknown, field: string): unknown {
  if (typeof value === 'string') return clip(value, bytesMax[field] ?? otherBytesMax);
  if (Array.isArray(value)) return cleanList(value as unknown[], field);
  if (typeof value !== 'object' || value === null) return value;
  if (field === 'labels') return cleanLabels(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clean(inner, key)]));
}

function cleanList(values: readonly unknown[], field: string): unknown[] {
  const limit = itemsMax[field] ?? otherItemsMax;
  const kept = values.length > limit ? values.slice(values.length - limit) : values;
  const items = kept.map((value) => clean(value, ''));
  const cut = values.length - kept.length;
  return cut > 0 && field === 'log_tail' ? [`…[${cut} earlier lines cut]`, ...items.slice(1)] : items;
}

function cleanLabels(labels: object): Record<string, string> {
  const entries = Object.entries(labels);
  const kept = entries
    .slice(0, labelsMax)
    .map(([key, value]) => [clip(key, labelBytesMax), clip(String(value), labelBytesMax)]);
  const cut = entries.length - labelsMax;
  return Object.fromEntries(cut > 0 ? [...kept, ['labels_cut', String(cut)]] : kept) as Record<string, string>;
}

/** At most so many bytes of UTF-8, cut between two characters and marked with what is missing: `abc…[+120 bytes]`. */
export function clip(text: string, limitBytes: number): string {
  const sound = text.replaceAll(/\0|\p{Surrogate}/gu, '\ufffd');
  if (sound.length * 3 <= limitBytes) return sound;
  const bytes = Buffer.from(sound);
  if (bytes.length <= limitBytes) return sound;
  const markBytes = 24;
  let end = limitBytes - markBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString()}…[+${bytes.length - end} bytes]`;
}

/** The path of what no column can hold. */
function unstorable({ at, body }: Event): string | undefined {
  if (!isInstant(at)) return 'at: not an instant';
  switch (body.kind) {
    case 'task_started':
    case 'task_ended':
      if (Buffer.byteLength(body.task.id) > (bytesMax['id'] ?? otherBytesMax))
        return 'body.task.id: longer than 256 bytes';
      if (body.task.started_at !== null && !isInstant(body.task.started_at))
        return 'body.task.started_at: not an instant';
      if (body.kind === 'task_ended' && !isInstant(body.ending.ended_at)) return 'body.ending.ended_at: not an instant';
      if (body.kind === 'task_ended' && body.ending.status === 'running')
        return 'body.ending.status: an end that is none';
      return undefined;
    case 'task_recording':
      if (!isInstant(body.recording.until)) return 'body.recording.until: not an instant';
      return isInstant(body.recording.complete_until) ? undefined : 'body.recording.complete_until: not an instant';
    case 'condition':
      return isInstant(body.report.since) ? undefined : 'body.report.since: not an instant';
    case 'gap':
    case 'source':
    case 'node':
    case 'agent_started':
      return undefined;
  }
}

function isInstant(text: string): boolean {
  const at = new Date(text).getTime();
  return !Number.isNaN(at) && new Date(at).toISOString() === text && !text.startsWith('0000');
}

/** A 64-bit count for a column, or null for what is none. */
export function countOrNull(value: number | null): number | null {
  if (value === null) return null;
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : null;
}

/** A 32-bit integer for a column, or null for what is none. */
export function integerOrNull(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : null;
}
