import type { Silence } from '../../data/api-types.ts';

/** A part of the strip, in epoch milliseconds; the end is outside. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export const dayMs = 86_400_000;
const stepMs = 900_000;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** When a silence is quiet between these instants: of one that comes again to the quarter of an hour. */
export function spansOf(silence: Pick<Silence, 'starts_at' | 'ends_at' | 'recurrence'>, within: Span): Span[] {
  const startMs = Math.max(within.startMs, Date.parse(silence.starts_at));
  const endMs = Math.min(within.endMs, silence.ends_at === null ? Infinity : Date.parse(silence.ends_at));
  if (startMs >= endMs) return [];
  if (silence.recurrence === null) return [{ startMs, endMs }];
  const isWithin = clockOf(silence.recurrence);
  const spans: Span[] = [];
  for (let atMs = startMs; atMs < endMs; atMs = (Math.floor(atMs / stepMs) + 1) * stepMs) {
    const nextMs = Math.min(endMs, (Math.floor(atMs / stepMs) + 1) * stepMs);
    const last = spans.at(-1);
    if (!isWithin(atMs)) continue;
    if (last?.endMs === atMs) spans[spans.length - 1] = { startMs: last.startMs, endMs: nextMs };
    else spans.push({ startMs: atMs, endMs: nextMs });
  }
  return spans;
}

/** Whether the clock on the wall of its zone lies in it; one that ends before it begins ends on the next day. */
function clockOf({ time_zone, from, to, days }: NonNullable<Silence['recurrence']>): (atMs: number) => boolean {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: time_zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const beginsOn = (day: number) => days === undefined || days.includes(weekdays[(day + 7) % 7] ?? '');
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
    const time = `${parts.get('hour')}:${parts.get('minute')}`;
    const day = weekdays.indexOf((parts.get('weekday') ?? '').toLowerCase());
    if (from < to) return from <= time && time < to && beginsOn(day);
    return (time >= from && beginsOn(day)) || (time < to && beginsOn(day - 1));
  };
}
