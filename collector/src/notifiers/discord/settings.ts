import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** A webhook of one channel. */
export const discordSettings = z
  .strictObject({
    type: z.literal('discord'),
    url: z.optional(field.httpUrl),
    url_file: z.optional(field.path),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('url'));
export type DiscordSettings = z.output<typeof discordSettings>;
