import { describe, expect, it } from 'vitest';
import { dayMs, type Span, spansOf } from './week.ts';

const sunday = Date.parse('2026-11-22T00:00:00Z');
const week: Span = { startMs: sunday, endMs: sunday + 7 * dayMs };
const shown = (spans: readonly Span[]) =>
  spans.map(({ startMs, endMs }) => [startMs, endMs].map((at) => new Date(at).toISOString().slice(0, 16)).join(' – '));
const always = { starts_at: '2026-11-01T00:00:00Z', ends_at: null };

describe('the week of a silence', () => {
  it('shows what lies in it of one that has a beginning and an end', () => {
    const planned = { starts_at: '2026-11-23T08:00:00Z', ends_at: '2026-12-23T08:00:00Z', recurrence: null };
    const past = { starts_at: '2026-11-20T08:00:00Z', ends_at: '2026-11-20T09:00:00Z', recurrence: null };

    expect(shown(spansOf(planned, week))).toEqual(['2026-11-23T08:00 – 2026-11-29T00:00']);
    expect(spansOf(past, week)).toEqual([]);
  });

  it('shows a window over midnight on the days it begins on, by the clock of its zone', () => {
    const recurrence = { time_zone: 'Europe/Berlin', from: '22:00', to: '06:00', days: ['fri', 'sat'] };

    expect(shown(spansOf({ ...always, recurrence }, week))).toEqual([
      '2026-11-22T00:00 – 2026-11-22T05:00',
      '2026-11-27T21:00 – 2026-11-28T05:00',
      '2026-11-28T21:00 – 2026-11-29T00:00',
    ]);
  });

  it('shows a window without days every day, and none after its end', () => {
    const recurrence = { time_zone: 'UTC', from: '01:00', to: '02:30' };

    expect(shown(spansOf({ ...always, ends_at: '2026-11-24T01:30:00Z', recurrence }, week))).toEqual([
      '2026-11-22T01:00 – 2026-11-22T02:30',
      '2026-11-23T01:00 – 2026-11-23T02:30',
      '2026-11-24T01:00 – 2026-11-24T01:30',
    ]);
  });
});
