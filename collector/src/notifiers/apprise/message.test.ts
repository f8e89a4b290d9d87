import { describe, expect, it } from 'vitest';
import { failedTask, samples } from '../../../../test/support/notifications.ts';
import { appriseMessage } from './message.ts';

describe('what Apprise is told', () => {
  it('is title, text and kind, for the targets and the tag there are', () => {
    expect(appriseMessage(samples.fired, { targets: ['a://x', 'b://y'], tag: 'ops' })).toEqual({
      title: 'Memory pressure on gpu-7',
      body: `Memory 95% used (threshold 90%).

since: 2026-11-22 11:48:00 UTC

https://watch.example.org/#/incidents/0199f3a0-0000-7000-8000-000000000001
`,
      type: 'warning',
      format: 'text',
      urls: 'a://x,b://y',
      tag: 'ops',
    });
    expect(appriseMessage(samples.test, { targets: [] })).toMatchObject({ type: 'info' });
  });

  it('F109 is cut to its limits', () => {
    const task = { ...failedTask, name: '🚀'.repeat(1000), log_tail: ['y'.repeat(100_000)], error_excerpt: null };
    const { title, body } = appriseMessage({ ...samples.failed, task }, { targets: [] });

    expect(title.length).toBeLessThanOrEqual(250);
    expect(body.length).toBeLessThanOrEqual(32_768);
    expect((title + body).isWellFormed()).toBe(true);
  });
});
