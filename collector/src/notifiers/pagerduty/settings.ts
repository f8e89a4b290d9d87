import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** An integration of type "Events API v2". */
export const pagerdutySettings = z
  .strictObject({
    type: z.literal('pagerduty'),
    routing_key: z.optional(field.text),
    routing_key_file: z.optional(field.path),
    /** `https://events.eu.pagerduty.com` for an account in the EU. */
    api_url: z._default(field.httpUrl, 'https://events.pagerduty.com'),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('routing_key'));
export type PagerdutySettings = z.output<typeof pagerdutySettings>;
