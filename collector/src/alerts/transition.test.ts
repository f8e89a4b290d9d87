import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FiringAlert, type Report, transition } from './transition.ts';

const report = (status: Report['status'], more: Partial<Report> = {}): Report => ({
  status,
  severity: 'warning',
  reason: 'r',
  ...more,
});
const firing: FiringAlert = { severity: 'warning', reason: 'r', firedAt: 0, toldAt: 0 };

describe('transition', () => {
  it.each([
    ['fires what begins to hold', { previous: null, report: report('true') }, 'fired', 'began_to_hold'],
    ['resolves what no longer holds', { previous: firing, report: report('false') }, 'resolved', 'no_longer_holds'],
    ['leaves what is unknown as it is, firing', { previous: firing, report: report('unknown') }, 'nothing', 'unknown'],
    ['leaves what is unknown as it is, quiet', { previous: null, report: report('unknown') }, 'nothing', 'unknown'],
    ['says nothing about what does not hold', { previous: null, report: report('false') }, 'nothing', 'not_firing'],
    ['says nothing about what still holds', { previous: firing, report: report('true') }, 'nothing', 'still_firing'],
    [
      'keeps a new reason without telling it',
      { previous: firing, report: report('true', { reason: 'other' }) },
      'updated',
      'reason_changed',
    ],
    [
      'tells again what became worse',
      { previous: firing, report: report('true', { severity: 'critical' }) },
      'renotified',
      'severity_rose',
    ],
    [
      'keeps a better severity without telling it',
      { previous: firing, report: report('true', { severity: 'info' }) },
      'updated',
      'severity_fell',
    ],
  ] as const)('%s', (_name, situation, ...[kind, why]) => {
    expect(transition({ ...situation, now: 1000, renotifyIntervalMs: 0 })).toEqual({ kind, why });
  });

  it('tells again after the interval, and never when the interval is 0', () => {
    const situation = { previous: firing, report: report('true') };

    expect(transition({ ...situation, now: 59_999, renotifyIntervalMs: 60_000 }).kind).toBe('nothing');
    expect(transition({ ...situation, now: 60_000, renotifyIntervalMs: 60_000 })).toEqual({
      kind: 'renotified',
      why: 'interval_passed',
    });
    expect(transition({ ...situation, now: 1e12, renotifyIntervalMs: 0 }).kind).toBe('nothing');
  });

  it('F082 fires once and resolves once per period of holding, whatever comes between and however often it is restarted', () => {
    const step = fc.record({
      status: fc.constantFrom('true', 'false', 'unknown'),
      severity: fc.constantFrom('info', 'warning', 'critical'),
      waitMs: fc.integer({ min: 0, max: 120_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 60_000), (steps, renotifyIntervalMs) => {
        let stored = JSON.stringify(null);
        let now = 0;
        const kinds: string[] = [];
        for (const { status, severity, waitMs } of steps) {
          now += waitMs;
          const previous = JSON.parse(stored) as FiringAlert | null;
          const { kind } = transition({
            previous,
            report: report(status as Report['status'], { severity: severity as Report['severity'] }),
            now,
            renotifyIntervalMs,
          });
          if (kind === 'fired' || kind === 'resolved') kinds.push(kind);
          if (kind === 'fired') stored = JSON.stringify({ severity, reason: 'r', firedAt: now, toldAt: now });
          if (kind === 'resolved') stored = JSON.stringify(null);
          if (kind === 'renotified') stored = JSON.stringify({ ...previous, severity, toldAt: now });
          if (kind === 'updated') stored = JSON.stringify({ ...previous, severity });
        }

        const holding = steps.map(({ status }) => status).filter((status) => status !== 'unknown');
        const changes = holding
          .filter((status, index) => status !== (holding[index - 1] ?? 'false'))
          .map((status) => (status === 'true' ? 'fired' : 'resolved'));
        expect(kinds).toEqual(changes);
      }),
    );
  });

  it('tells again no more often than the interval while the severity stays', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 60 }), (waits) => {
        const told = [0];
        let now = 0;
        for (const waitMs of waits) {
          now += waitMs;
          const toldAt = told.at(-1) ?? 0;
          if (
            transition({ previous: { ...firing, toldAt }, report: report('true'), now, renotifyIntervalMs: 60_000 })
              .kind === 'renotified'
          )
            told.push(now);
        }
        for (const [index, at] of told.entries())
          if (index > 0) expect(at - (told[index - 1] ?? 0)).toBeGreaterThanOrEqual(60_000);
      }),
    );
  });
});
