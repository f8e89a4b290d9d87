import * as z from 'zod/mini';
import { secretsIn, usableUrl } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { mattermostMessage } from './message.ts';
import type { MattermostSettings } from './settings.ts';

/** Posts to an incoming webhook. @throws StartFailure */
export function createMattermostNotifier(
  { url, template, timeout }: MattermostSettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const target = usableUrl(receiver, url);
  return createJsonNotifier({
    timeoutMs: timeout,
    clock,
    hear,
    secrets: secretsIn(target),
    render: createRender(template, { receiver, log }),
    callFor: (notification, words) => ({ url: target, payload: mattermostMessage(notification, words) }),
  });
}

const refusal = z.object({ message: z.string() });

/** https://developers.mattermost.com/integrate/webhooks/incoming/: `ok`, or JSON with a message. */
function hear(body: string, status: number): Word {
  if (status < 300) return body.trim() === 'ok' ? { isTaken: true } : notUnderstood;
  return { isTaken: false, reason: readJson(refusal, body)?.message };
}
