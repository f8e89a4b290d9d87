import type { Notification, TaskFacts } from '@runnerwatch/shared/model/notification.ts';
import { describe, expect, it } from 'vitest';
import { failedTask, samples } from '../../../test/support/notifications.ts';
import { sentenceOf, titleOf } from '../notifiers/wording.ts';
import { combine } from './combine.ts';

const { log_tail: _log, error_excerpt: _excerpt, ...lost } = failedTask satisfies TaskFacts;
const { fired, renotified, resolved, unreachable, recovered } = samples;

describe('a last word that stands for those before it', () => {
  it('F099 says of what nobody heard that it was firing, from when to when', () => {
    const combined = combine([fired, renotified], resolved, { wasTold: false });

    expect(combined).toMatchObject({
      id: resolved.id,
      type: 'condition.resolved',
      combined: { notifications: 3, since: fired.at },
    });
    expect(titleOf(combined)).toBe('Was firing for 12 min, is over: Memory pressure on gpu-7');
    expect(sentenceOf(combined)).toMatch(/^Firing from .*11:48:00.* to .*12:00:00.*\. Memory 40% used\.$/);
  });

  it('F099 is an ordinary end for who had heard of the beginning', () => {
    expect(combine([renotified], resolved, { wasTold: true })).toEqual(resolved);
  });

  it('F099 keeps the tasks that were lost with a node which is back', () => {
    const one: Notification = {
      ...unreachable,
      group: [{ task: { ...lost, id: 'a' } }, { task: { ...lost, id: 'b' } }],
    };
    const two: Notification = { ...recovered, group: [{ task: { ...lost, id: 'b', status: 'completed' } }] };

    const combined = combine([one], two, { wasTold: false });

    expect(combined.group?.map(({ task }) => [task.id, task.status])).toEqual([
      ['a', 'failed'],
      ['b', 'completed'],
    ]);
    expect(titleOf(combined)).toBe('gpu-7 was unreachable for 12 min, and 2 tasks with it, and is back');
  });

  it('F108 counts what was collapsed into those before it', () => {
    const earlier = { ...renotified, combined: { notifications: 7, since: '2026-11-22T11:00:00.000Z' } };

    expect(combine([earlier], resolved, { wasTold: false }).combined).toEqual({
      notifications: 8,
      since: '2026-11-22T11:00:00.000Z',
    });
  });
});

describe('a digest', () => {
  it('F108 says how much of what it stands for, and from when', () => {
    const digest: Notification = {
      ...samples.test,
      type: 'digest',
      digest: {
        since: '2026-11-19T12:00:00.000Z',
        until: '2026-11-22T12:00:00.000Z',
        notifications: 12,
        by_type: { 'task.ended': 10, 'condition.resolved': 2 },
      },
    };

    expect(titleOf(digest)).toBe('12 notifications could not be delivered in time');
    expect(sentenceOf(digest)).toContain('10 task.ended, 2 condition.resolved');
  });
});
