import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { describe, expect, it } from 'vitest';
import { failedTask, samples } from '../../../../test/support/notifications.ts';
import { alertsOf } from './message.ts';
import { alertmanagerSettings } from './settings.ts';

const now = Date.parse('2026-11-22T12:00:01.000Z');
const told = (notification: Notification, at = now) =>
  alertsOf(notification, { labels: { team: 'ml' }, taskFailureMs: 3_600_000, now: at });
const active = (notification: Notification, at = now) =>
  told(notification, at).filter(({ endsAt }) => Date.parse(endsAt) > at);
const labelsOf = (notification: Notification) => told(notification).map(({ labels }) => labels);

describe('what an Alertmanager is told', () => {
  it('is one alert that holds, with the words for people beside its labels', () => {
    expect(active(samples.fired)).toEqual([
      {
        labels: {
          alertname: 'MemoryPressure',
          source: 'runnerwatch',
          component: 'agent',
          node: 'gpu-7',
          severity: 'warning',
          team: 'ml',
        },
        annotations: {
          summary: 'Memory pressure on gpu-7',
          description: expect.stringMatching(/^Memory 95% used \(threshold 90%\)\./),
          incident: '0199f3a0-0000-7000-8000-000000000001',
          notification: '0199f3a0-condition.fired',
        },
        startsAt: '2026-11-22T11:48:00.000Z',
        endsAt: '2027-11-22T12:00:01.000Z',
        generatorURL: 'https://watch.example.org/#/incidents/0199f3a0-0000-7000-8000-000000000001',
      },
    ]);
  });

  it('has the same labels when it fires, holds and is over', () => {
    expect(labelsOf(samples.renotified)).toEqual(labelsOf(samples.fired));
    expect(labelsOf(samples.resolved)).toEqual(labelsOf(samples.fired));
    expect(labelsOf(samples.recovered)).toEqual(labelsOf(samples.unreachable));
    expect(labelsOf(samples.amended)).toEqual(labelsOf(samples.failed));
    expect(active(samples.resolved)).toEqual([]);
    expect(active(samples.recovered)).toEqual([]);
  });

  it('tells apart what it is about inside a node', () => {
    const about = (subject: string) =>
      labelsOf({
        ...samples.fired,
        ...(samples.fired.condition && { condition: { ...samples.fired.condition, subject } }),
      })[0];

    expect(about('rule-1')).toMatchObject({ subject: 'rule-1' });
    expect(about('')).not.toHaveProperty('subject');
  });

  it('ends the alert of the severity that it no longer has', () => {
    const { incident } = samples.fired;
    const worse = { ...samples.renotified, incident: incident && { ...incident, severity: 'critical' as const } };

    expect(active(worse).map(({ labels }) => labels['severity'])).toEqual(['critical']);
    expect(
      labelsOf(worse)
        .map((labels) => labels['severity'])
        .toSorted(),
    ).toEqual(['critical', 'info', 'warning']);
  });

  it('F100 gives the failure of a task its time also when it is told hours late', () => {
    const late = now + 6 * 3_600_000;

    expect(
      active(samples.failed).map(({ labels, endsAt }) => [labels['alertname'], labels['subject'], endsAt]),
    ).toEqual([['TaskFailed', 'task-1', '2026-11-22T13:00:01.000Z']]);
    expect(active(samples.failed, late).map(({ endsAt }) => endsAt)).toEqual(['2026-11-22T19:00:01.000Z']);
  });

  it('takes the failure back when the task is found to have ended well, and says nothing of one that begins', () => {
    const well = { ...samples.amended, task: samples.completed.task };

    expect(active(well)).toEqual([]);
    expect(labelsOf(well)).toEqual(labelsOf(samples.failed));
    expect(told({ ...samples.test, type: 'task.started', task: failedTask })).toEqual([]);
  });

  it('F109 F116 has no value that it could not read', () => {
    const task = { ...failedTask, name: 'a\u0000\ud800', log_tail: ['x'.repeat(100_000)], error_excerpt: null };
    const body = JSON.stringify(told({ ...samples.failed, task, node: null }));

    expect(body).not.toMatch(/\\u0000|\\ud800/);
    expect(Buffer.byteLength(body)).toBeLessThan(40_000);
  });
});

describe('the settings of an Alertmanager', () => {
  it.each([
    [{ labels: { 'not-a-name': 'x' } }, 'expected a label name of letters, digits and underscores'],
    [{ labels: { __own: 'x' } }, 'expected a label name of letters, digits and underscores'],
    [{ labels: { severity: 'x' } }, 'this label is set by runnerwatch itself'],
    [{ urls: [] }, 'expected one to ten URLs'],
    [{ username: 'u' }, 'expected username and password, or neither'],
    [{ task_failure_for: '1s' }, 'expected at least 1m, or it would be over before it is told'],
  ])('F086 refuse %j', (more, message) => {
    const result = alertmanagerSettings.safeParse({ type: 'alertmanager', urls: ['http://am:9093'], ...more });
    expect(result.error?.issues[0]?.message).toBe(message);
  });
});
