import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** A bot, and the chat it writes to. */
export const telegramSettings = z
  .strictObject({
    type: z.literal('telegram'),
    bot_token: z.optional(field.text),
    bot_token_file: z.optional(field.path),
    /** A number, or `@name` of a public channel. */
    chat_id: z.pipe(
      z.union([z.int(), z.string()], { error: 'expected the number of a chat, or @name of a channel' }),
      z.transform(String),
    ),
    /** One topic of a group with topics. */
    topic_id: z.optional(field.count),
    api_url: z._default(field.httpUrl, 'https://api.telegram.org'),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('bot_token'));
export type TelegramSettings = z.output<typeof telegramSettings>;
