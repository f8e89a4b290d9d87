import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** A topic. On a public server its name is as good as a password, so it may come from a file. */
export const ntfySettings = z
  .strictObject({
    type: z.literal('ntfy'),
    topic: z.optional(field.text),
    topic_file: z.optional(field.path),
    token: z.optional(field.text),
    token_file: z.optional(field.path),
    api_url: z._default(field.httpUrl, 'https://ntfy.sh'),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('topic'));
export type NtfySettings = z.output<typeof ntfySettings>;
