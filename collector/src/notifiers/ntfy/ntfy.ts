import * as z from 'zod/mini';
import { below, usableSecret } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { ntfyMessage } from './message.ts';
import type { NtfySettings } from './settings.ts';

/** Publishes to a topic. @throws StartFailure */
export function createNtfyNotifier(
  settings: NtfySettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const topic = usableSecret(receiver, 'topic', settings.topic);
  const token = settings.token === undefined ? null : usableSecret(receiver, 'token', settings.token);
  const url = below(settings.api_url, '');
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return createJsonNotifier({
    timeoutMs: settings.timeout,
    clock,
    hear,
    secrets: [topic, token ?? ''],
    render: createRender(settings.template, { receiver, log }),
    callFor: (notification, words) => ({ url, payload: { topic, ...ntfyMessage(notification, words) }, headers }),
  });
}

const taken = z.object({ id: z.string(), event: z.literal('message') });
const refusal = z.object({ error: z.string() });

function hear(body: string, status: number): Word {
  if (status < 300) return readJson(taken, body) === null ? notUnderstood : { isTaken: true };
  return { isTaken: false, reason: readJson(refusal, body)?.error };
}
