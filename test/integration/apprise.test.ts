import { createAppriseNotifier } from '@runnerwatch/collector/notifiers/apprise/apprise.ts';
import { appriseSettings } from '@runnerwatch/collector/notifiers/apprise/settings.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpSink } from '../support/http-sink.ts';
import { samples } from '../support/notifications.ts';

async function deliverTo(status: number, more = {}) {
  const sink = await HttpSink.open({ answer: () => ({ kind: 'status', status }) });
  const settings = appriseSettings.parse({
    type: 'apprise',
    url: `http://127.0.0.1:${sink.port}/notify/secret-key`,
    ...more,
  });
  const notifier = createAppriseNotifier(settings, {
    receiver: 'many',
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  onTestFinished(async () => {
    await notifier[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
  });
  return { sink, outcome: await notifier.deliver(samples.failed, { signal: new AbortController().signal }) };
}

describe('the apprise notifier', () => {
  it('posts title, text and kind to the key', async () => {
    const { sink, outcome } = await deliverTo(200, { tag: 'ops' });

    expect(outcome).toEqual({ outcome: 'delivered', httpStatus: 200 });
    expect(sink.requests[0]).toMatchObject({ method: 'POST', path: '/notify/secret-key' });
    expect(sink.bodies[0]).toMatchObject({
      title: 'train-42 on gpu-7 failed: exit code 1',
      type: 'failure',
      format: 'text',
      tag: 'ops',
    });
  });

  it('says it in the words of its template', async () => {
    const { sink } = await deliverTo(200, { template: { subject: 'X', text: '{{ task.owner }}' } });

    expect(sink.bodies[0]).toMatchObject({ title: 'X', body: 'ada' });
  });

  it.each([
    [204, 'refused', 'HTTP 204: nothing is configured for that key, or no target was given'],
    [424, 'refused', 'HTTP 424: at least one of the services behind it failed'],
    [400, 'refused', 'HTTP 400: the receiver does not understand the message'],
    [500, 'retry', 'HTTP 500'],
  ])('F105 F106 %i is %s', async (status, outcome, error) => {
    expect((await deliverTo(status)).outcome).toEqual({ outcome, httpStatus: status, error });
  });
});
