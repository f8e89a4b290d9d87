import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** An incoming webhook. */
export const mattermostSettings = z
  .strictObject({
    type: z.literal('mattermost'),
    url: z.optional(field.httpUrl),
    url_file: z.optional(field.path),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('url'));
export type MattermostSettings = z.output<typeof mattermostSettings>;
