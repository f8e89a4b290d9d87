import * as z from 'zod/mini';
import { secretsIn, usableUrl } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { discordMessage } from './message.ts';
import type { DiscordSettings } from './settings.ts';

/** Posts to a webhook and waits until Discord has the message (`wait`), so that one it could not keep is an error. @throws StartFailure */
export function createDiscordNotifier(
  { url, template, timeout }: DiscordSettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const target = usableUrl(receiver, url);
  target.searchParams.set('wait', 'true');
  return createJsonNotifier({
    timeoutMs: timeout,
    clock,
    hear,
    secrets: secretsIn(target),
    render: createRender(template, { receiver, log }),
    callFor: (notification, words) => ({ url: target, payload: discordMessage(notification, words) }),
  });
}

/** https://docs.discord.com/developers/topics/rate-limits: seconds with a fraction, more exact than the header. */
const said = z.object({ message: z.optional(z.string()), retry_after: z.optional(z.number()) });

/** With `wait` the answer is the message itself. */
const kept = z.object({ id: z.string() });

function hear(body: string, status: number): Word {
  if (status < 300) return readJson(kept, body) === null ? notUnderstood : { isTaken: true };
  const { message, retry_after: seconds } = readJson(said, body) ?? {};
  return { isTaken: false, reason: message, ...(seconds === undefined ? {} : { afterMs: Math.ceil(seconds * 1000) }) };
}
