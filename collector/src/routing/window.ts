export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** A time of day that comes again, by the clock on the wall of its zone. */
export interface WindowRule {
  /** An IANA name: `Europe/Berlin`. */
  readonly time_zone: string;
  /** `HH:MM`; an end that is not after the beginning lies on the next day. */
  readonly from: string;
  readonly to: string;
  /** The days it begins on; without them every day. */
  readonly days?: readonly Weekday[] | undefined;
}

/** Instants in epoch milliseconds; the end is outside. */
export interface Occurrence {
  readonly startAt: number;
  readonly endAt: number;
}

export interface DailyWindow {
  readonly rule: WindowRule;
  /** The occurrence that this instant lies in, or null. */
  readonly around: (at: number) => Occurrence | null;
  /** The last occurrence that was over by this instant, at most a week before; or null. */
  readonly before: (at: number) => Occurrence | null;
}

const dayMs = 86_400_000;

/**
 * Makes a rule of wall-clock times one of instants. The zone's own rules are those of Intl. A time that is skipped when the
 * clock goes forward is read with the offset before the change (RFC 5545 section 3.3.5); of a time that comes twice when it goes
 * back, a window begins with the first and ends with the second, so that it has no hole.
 *
 * @throws RangeError for a zone that is not known
 */
export function createWindow(rule: WindowRule): DailyWindow {
  const wall = wallClock(rule.time_zone);
  const from = minutesOf(rule.from);
  const to = minutesOf(rule.to);
  const occurrencesNear = (at: number, daysBefore: number): Occurrence[] => {
    const today = Math.floor(wall(at) / dayMs);
    return Array.from({ length: daysBefore + 2 }, (_, index) => today + 1 - index)
      .filter((day) => rule.days === undefined || rule.days.some((name) => name === weekdayOf(day)))
      .map((day) => ({
        startAt: Math.min(...instantsOf(wall, day * dayMs + from * 60_000)),
        endAt: Math.max(...instantsOf(wall, (to > from ? day : day + 1) * dayMs + to * 60_000)),
      }));
  };
  return {
    rule,
    around: (at) => occurrencesNear(at, 1).find(({ startAt, endAt }) => startAt <= at && at < endAt) ?? null,
    before: (at) => occurrencesNear(at, 8).find(({ startAt, endAt }) => endAt <= at && startAt < endAt) ?? null,
  };
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** `mon–fri 22:00–07:00 Europe/Berlin`, for people. */
export function describeWindow({ time_zone: zone, from, to, days }: WindowRule): string {
  return `${days === undefined ? '' : `${days.join(',')} `}${from}–${to} ${zone}`;
}

/** The local time of an instant, written as if it were UTC. */
type WallClock = (at: number) => number;

function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  };
}

/** Every instant at which that wall clock shows that time: one, two when it went back, and for a skipped one what stands in. */
function instantsOf(wall: WallClock, local: number): [number, ...number[]] {
  const before = local - offsetAt(wall, local - dayMs);
  const after = local - offsetAt(wall, local + dayMs);
  const exact = [before, after].filter((at) => wall(at) === local);
  return [exact[0] ?? before, ...exact.slice(1)];
}

function offsetAt(wall: WallClock, at: number): number {
  return wall(at) - at;
}

/** Day 0 of the epoch was a Thursday. */
function weekdayOf(day: number): Weekday | undefined {
  return weekdays[(((day + 3) % 7) + 7) % 7];
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
