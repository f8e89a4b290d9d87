import { type Event, event as eventSchema, type Lane, lane as laneSchema } from '@runnerwatch/shared/model/event.ts';
import { cleanEvent } from './clean.ts';

/** One numbered thing from an agent's spool: sound, or not, and then with the reason and as it came. */
export type Incoming =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'refused'; readonly seq: number; readonly reason: string; readonly raw: string };

/** Sound events of a decoded batch, fit for the database. */
export function incomingOf(events: readonly Event[]): Incoming[] {
  return events.map((event) => incoming(event));
}

/**
 * A batch that did not decode as a whole, event by event: one bad event must not hold its lane for ever.
 * Undefined when it is no batch, or an event has no usable number.
 */
export function salvageBatch(text: string): { readonly lane: Lane; readonly items: readonly Incoming[] } | undefined {
  const batch = parse(text);
  if (!isRecord(batch) || batch['kind'] !== 'batch' || !Array.isArray(batch['events'])) return undefined;
  const lane = laneSchema.safeParse(batch['lane']);
  if (!lane.success) return undefined;
  const items: Incoming[] = [];
  for (const candidate of batch['events'] as unknown[]) {
    const item = salvage(candidate);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items.length === 0 ? undefined : { lane: lane.data, items };
}

function salvage(candidate: unknown): Incoming | undefined {
  const parsed = eventSchema.safeParse(candidate);
  if (parsed.success) return incoming(parsed.data);
  const seq = isRecord(candidate) ? candidate['seq'] : undefined;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  return {
    kind: 'refused',
    seq,
    reason: `${where}: ${issue?.message ?? 'not an event'}`,
    raw: JSON.stringify(candidate),
  };
}

function incoming(event: Event): Incoming {
  const cleaned = cleanEvent(event);
  if (cleaned.kind === 'clean') return { kind: 'event', event: cleaned.event };
  return { kind: 'refused', seq: event.seq, reason: cleaned.reason, raw: JSON.stringify(event) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
