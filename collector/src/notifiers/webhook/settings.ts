import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, headers, rateLimit, timeout } from '../fields.ts';

export const webhookSettings = z
  .strictObject({
    type: z.literal('webhook'),
    url: z.optional(field.httpUrl),
    url_file: z.optional(field.path),
    secret: z.optional(field.text),
    secret_file: z.optional(field.path),
    /** More secrets to sign with while a receiver changes from one to the next. */
    secrets: z._default(field.listOf(field.text), []),
    headers,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('url'));
export type WebhookSettings = z.output<typeof webhookSettings>;
