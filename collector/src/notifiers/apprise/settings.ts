import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, headers, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

export const appriseSettings = z
  .strictObject({
    type: z.literal('apprise'),
    /** Of an Apprise API server: `https://apprise.example.org/notify/<key>`, or its `/notify` together with `targets`. */
    url: z.optional(field.httpUrl),
    url_file: z.optional(field.path),
    /** Apprise URLs for a server that keeps none, such as `signal://…`; they hold secrets. */
    targets: z._default(field.listOf(field.text), []),
    /** Only those of its targets that carry the tag. */
    tag: z.optional(field.text),
    template: templateSettings,
    headers,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('url'));
export type AppriseSettings = z.output<typeof appriseSettings>;
