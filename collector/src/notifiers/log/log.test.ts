import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createLogNotifier } from './log.ts';

const notification: Notification = {
  version: 1,
  id: 'id-1',
  type: 'condition.fired',
  at: '2026-11-22T12:00:00.000Z',
  incident: { id: 'i', status: 'open', title: 'MemoryPressure on n1', severity: 'warning', url: null },
  condition: {
    type: 'MemoryPressure',
    active: true,
    reason: '95% used',
    since: '2026-11-22T12:00:00.000Z',
    component: 'agent',
  },
  node: { id: 'n', name: 'n1', status: 'online', labels: {} },
  transition: 'fired',
  repeat: 0,
};

async function lineOf(told: Notification, level = 'info'): Promise<Record<string, unknown>> {
  const lines: string[] = [];
  const outcome = await createLogNotifier(
    pino({ level }, { write: (line: string) => lines.push(line) }),
    'collector-1',
  ).deliver(told, {
    signal: new AbortController().signal,
  });
  expect(outcome).toEqual({ outcome: 'delivered' });
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

describe('the log notifier', () => {
  it('writes a fired condition at WARN and a resolved one at INFO, with the fields of OSAPI', async () => {
    const { condition } = notification;

    expect(await lineOf(notification)).toMatchObject({
      level: 40,
      component: 'agent',
      hostname: 'n1',
      condition: 'MemoryPressure',
      active: true,
      reason: '95% used',
    });
    expect(
      await lineOf({
        ...notification,
        type: 'condition.resolved',
        ...(condition && { condition: { ...condition, active: false } }),
      }),
    ).toMatchObject({ level: 30, active: false });
  });

  it.each(['warn', 'error'])('keeps nothing back when the collector itself says only what is %s', async (level) => {
    const { condition } = notification;
    const over = condition && { condition: { ...condition, active: false } };

    expect(await lineOf(notification, level)).toMatchObject({ level: 40 });
    expect(await lineOf({ ...notification, type: 'condition.resolved', ...over }, level)).toMatchObject({ level: 30 });
  });

  it('names the machine itself for what is said of the collector', async () => {
    expect(await lineOf({ ...notification, node: null })).toMatchObject({ hostname: 'collector-1' });
  });

  it('keeps a line break in a reason inside its line', async () => {
    const { condition } = notification;

    await lineOf({ ...notification, ...(condition && { condition: { ...condition, reason: 'a\nWARN forged' } }) });
  });

  it('writes a test at INFO', async () => {
    expect(
      await lineOf({
        version: 1,
        id: 't',
        type: 'test',
        at: notification.at,
        incident: null,
        node: null,
        transition: 'test',
        repeat: 0,
      }),
    ).toMatchObject({ level: 30, msg: 'test notification' });
  });
});
