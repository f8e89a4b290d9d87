import * as z from 'zod/mini';
import { below, usableSecret } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { gotifyMessage } from './message.ts';
import type { GotifySettings } from './settings.ts';

/** Sends messages of one application. @throws StartFailure */
export function createGotifyNotifier(
  settings: GotifySettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const token = usableSecret(receiver, 'token', settings.token);
  const headers = { 'x-gotify-key': token };
  const url = below(settings.api_url, 'message');
  return createJsonNotifier({
    timeoutMs: settings.timeout,
    clock,
    hear,
    secrets: [token],
    render: createRender(settings.template, { receiver, log }),
    callFor: (notification, words) => ({ url, payload: gotifyMessage(notification, words), headers }),
  });
}

/** https://gotify.net/api-docs: the message with its id, or what is wrong. */
const taken = z.object({ id: z.int() });
const refusal = z.object({ error: z.string(), errorDescription: z.optional(z.string()) });

function hear(body: string, status: number): Word {
  if (status < 300) return readJson(taken, body) === null ? notUnderstood : { isTaken: true };
  const said = readJson(refusal, body);
  return { isTaken: false, reason: said?.errorDescription ?? said?.error };
}
