import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** An incoming webhook (`url`), or a bot (`bot_token` and `channel`), whose messages can be edited and answered in threads. */
export const slackSettings = z
  .strictObject({
    type: z.literal('slack'),
    url: z.optional(field.httpUrl),
    url_file: z.optional(field.path),
    bot_token: z.optional(field.text),
    bot_token_file: z.optional(field.path),
    /** Its id (`C0123456789`), or its name where the bot may post by name. */
    channel: z.optional(field.text),
    api_url: z._default(field.httpUrl, 'https://slack.com/api'),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(({ value, issues }) => {
    const refuse = (key: string, message: string) =>
      issues.push({ code: 'custom', path: [key], input: undefined, message });
    const ways = [value.url, value.url_file, value.bot_token, value.bot_token_file].filter((way) => way !== undefined);
    const isBot = value.bot_token !== undefined || value.bot_token_file !== undefined;
    if (ways.length !== 1) refuse('url', 'expected one of url, url_file, bot_token, bot_token_file');
    else if (isBot && value.channel === undefined) refuse('channel', 'expected the channel that the bot posts to');
    else if (!isBot && value.channel !== undefined) refuse('channel', 'a webhook has its own channel; leave this out');
  });
export type SlackSettings = z.output<typeof slackSettings>;
