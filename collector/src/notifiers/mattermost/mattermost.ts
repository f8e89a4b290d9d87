import * as z from 'zod/mini';
import { secretsIn, usableUrl } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { mattermostMessage } from './message.ts';
import type { MattermostSettings } from './settings.ts';

/** Posts to an incoming webhook. @throws StartFailure */
export function createMattermostNotifier(
  { url, timeout }: MattermostSettings,
  { receiver, clock }: Pick<NotifierDeps, 'receiver' | 'clock'>,
): Notifier {
  const target = usableUrl(receiver, url);
  return createJsonNotifier({
    timeoutMs: timeout,
    clock,
    hear,
    secrets: secretsIn(target),
    callFor: (notification) => ({ url: target, payload: mattermostMessage(notification) }),
  });
}

const refusal = z.object({ message: z.string() });

/** https://developers.mattermost.com/integrate/webhooks/incoming/: `ok`, or JSON with a message. */
function hear(body: string, status: number): Word {
  if (status < 300) return body.trim() === 'ok' ? { isTaken: true } : notUnderstood;
  return { isTaken: false, reason: readJson(refusal, body)?.message };
}
