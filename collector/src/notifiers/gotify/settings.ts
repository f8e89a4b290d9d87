import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** An application on a server of one's own. */
export const gotifySettings = z
  .strictObject({
    type: z.literal('gotify'),
    api_url: field.httpUrl,
    token: z.optional(field.text),
    token_file: z.optional(field.path),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('token'));
export type GotifySettings = z.output<typeof gotifySettings>;
