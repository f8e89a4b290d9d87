import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** An integration of type "API". */
export const opsgenieSettings = z
  .strictObject({
    type: z.literal('opsgenie'),
    api_key: z.optional(field.text),
    api_key_file: z.optional(field.path),
    /** `https://api.eu.opsgenie.com` for an account in the EU. */
    api_url: z._default(field.httpUrl, 'https://api.opsgenie.com'),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('api_key'));
export type OpsgenieSettings = z.output<typeof opsgenieSettings>;
