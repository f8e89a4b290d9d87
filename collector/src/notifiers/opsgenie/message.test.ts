import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { mirrored, samples } from '../../../../test/support/notifications.ts';
import { opsgenieRequest } from './message.ts';

/* https://docs.opsgenie.com/docs/alert-api */
const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const request = z.union([
  z.strictObject({
    path: z.literal('v2/alerts'),
    payload: z.strictObject({
      message: text(130),
      alias: text(512),
      description: z.optional(text(15_000)),
      entity: z.string().check(z.maxLength(512)),
      source: text(100),
      priority: z.enum(['P1', 'P2', 'P3', 'P4', 'P5']),
      tags: z.array(text(50)).check(z.maxLength(20)),
      details: z.record(z.string(), z.string()),
    }),
  }),
  z.strictObject({
    path: z.string().check(z.regex(/^v2\/alerts\/[^/?]+\/(acknowledge|close)\?identifierType=alias$/)),
    payload: z.strictObject({ source: text(100), note: text(25_000) }),
  }),
]);

describe('a request to Opsgenie', () => {
  it('creates an alert with the verdict and its proof, and closes it', async () => {
    await expect(goldenOf(opsgenieRequest)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps the length of every field, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = opsgenieRequest(notification, words);
      expect(z.parse(request, sent)).toEqual(sent);
      expect(textsIn(sent).every((one) => one.isWellFormed())).toBe(true);
    });
  });

  it('F117 has nothing that looks like a tag of HTML', () => {
    forAnyNotification((notification, words) => {
      for (const one of textsIn(opsgenieRequest(notification, words).payload)) expect(one).not.toMatch(/[<>]/);
    });
  });

  it('acknowledges with who is on it, and closes what people are not told is over', () => {
    const path = (word: string) => `v2/alerts/${samples.resolved.incident?.id}/${word}?identifierType=alias`;

    expect([mirrored.acknowledged, mirrored.over].map((one) => opsgenieRequest(one))).toEqual([
      {
        path: path('acknowledge'),
        payload: { source: 'Runnerwatch', note: 'Acknowledged by ada: train-42 failed on gpu-7\nDisk ordered.' },
      },
      { path: path('close'), payload: { source: 'Runnerwatch', note: 'Resolved: train-42 failed on gpu-7' } },
    ]);
  });

  it('closes the alert when the incident is over', () => {
    expect(opsgenieRequest(samples.resolved).path).toBe(
      'v2/alerts/0199f3a0-0000-7000-8000-000000000001/close?identifierType=alias',
    );
  });
});
