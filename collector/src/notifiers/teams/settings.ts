import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** A webhook of a workflow (or of a connector, where those still run). */
export const teamsSettings = z
  .strictObject({
    type: z.literal('teams'),
    url: z.optional(field.httpUrl),
    url_file: z.optional(field.path),
    template: templateSettings,
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check(field.eitherOr('url'));
export type TeamsSettings = z.output<typeof teamsSettings>;
