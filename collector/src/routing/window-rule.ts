import * as z from 'zod/mini';
import { isTimeZone, weekdays } from './window.ts';

const time = z
  .string({ error: 'expected a time of day such as 22:00' })
  .check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'expected a time of day such as 22:00' }));

/** A window as people write it, in the file and in the API. */
export const windowRule = z.strictObject({
  time_zone: z
    .string({ error: 'expected a time zone such as Europe/Berlin' })
    .check(z.refine(isTimeZone, { error: 'expected a time zone such as Europe/Berlin' })),
  from: time,
  to: time,
  days: z.optional(
    z
      .array(z.enum(weekdays, { error: `expected one of ${weekdays.join(', ')}` }))
      .check(z.minLength(1, { error: 'expected at least one day, or no days for every day' })),
  ),
});
