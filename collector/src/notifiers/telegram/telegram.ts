import * as z from 'zod/mini';
import { below, usableSecret } from '../fields.ts';
import { createJsonApi, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { previewOf } from '../parts.ts';
import { createRender } from '../template.ts';
import { telegramMessage } from './message.ts';
import type { TelegramSettings } from './settings.ts';

/** Writes to a chat as a bot; later news of an incident answer its first message. @throws StartFailure */
export function createTelegramNotifier(
  settings: TelegramSettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const { chat_id, topic_id, api_url, template, timeout } = settings;
  const render = createRender(template, { receiver, log });
  const token = usableSecret(receiver, 'bot_token', settings.bot_token);
  const url = below(api_url, `bot${token}/sendMessage`);
  const api = createJsonApi({ timeoutMs: timeout, clock, hear, secrets: [token] });
  return {
    deliver: async (notification, { signal, thread = null }) => {
      const first = readHandle(thread, chat_id);
      const { outcome, body } = await api
        .begin(signal)
        .tell(notification, await render(notification), (told, words) => {
          const topic = topic_id === undefined ? {} : { message_thread_id: topic_id };
          const reply =
            first === null ? {} : { reply_parameters: { message_id: first, allow_sending_without_reply: true } };
          return { url, payload: { chat_id, ...topic, ...telegramMessage(told, words), ...reply } };
        });
      const id = readJson(apiAnswer, body)?.result?.message_id;
      if (outcome.outcome !== 'delivered' || notification.incident === null || first !== null || id === undefined)
        return outcome;
      return { ...outcome, handle: JSON.stringify([chat_id, id]) };
    },
    preview: async (notification) => previewOf(notification, await render(notification)),
    keepsThreads: true,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** https://core.telegram.org/bots/api#making-requests */
const apiAnswer = z.object({
  ok: z.boolean(),
  description: z.optional(z.string()),
  parameters: z.optional(z.object({ retry_after: z.optional(z.number()) })),
  result: z.optional(z.object({ message_id: z.int() })),
});

function hear(body: string, status: number): Word {
  const said = readJson(apiAnswer, body);
  if (said === null) return status < 300 ? notUnderstood : { isTaken: false };
  const seconds = said.parameters?.retry_after;
  return {
    isTaken: said.ok,
    reason: said.description,
    ...(seconds === undefined ? {} : { isPassing: true, afterMs: seconds * 1000 }),
  };
}

const handleParts = z.tuple([z.string(), z.int()]);

/** The message that begins the thread; null for one in another chat, from before the configuration was changed. */
function readHandle(handle: string | null, chatId: string): number | null {
  const read = handle === null ? null : readJson(handleParts, handle);
  return read === null || read[0] !== chatId ? null : read[1];
}
