import * as z from 'zod';
import type { SubscriptionRow } from '../../routing/store.ts';
import { jobId } from '../../tasks/jobs.ts';
import { instantText } from './delivery.ts';
import { showTarget } from './subscription.ts';

/** Table `run_alerts` of the alert specification that this follows, as JSON. */
export const jobAlert = z.object({
  id: z.string(),
  job_id: z.string(),
  alert_type: z.enum(['webhook', 'email']),
  target: z.string().describe('To a viewer without what may be secret in it.'),
  on_failure: z.boolean(),
  on_timeout: z.boolean(),
  created_at: z.string(),
});

export const jobAlertBody = z.strictObject({
  alert_type: z.enum(['webhook', 'email']),
  target: z.string().min(1).max(2000).describe('The URL of a webhook, or an email address.'),
  on_failure: z.boolean().default(true),
  on_timeout: z.boolean().default(true),
});

export function toJobAlert(row: SubscriptionRow, isWhole: boolean): z.infer<typeof jobAlert> {
  return {
    id: row.id,
    job_id: jobId({ project: row.project, name: row.job ?? '' }),
    alert_type: row.receiver.startsWith('email:') ? 'email' : 'webhook',
    target: isWhole ? (row.target ?? '') : showTarget(row.target ?? ''),
    on_failure: row.events.includes('fail'),
    on_timeout: row.events.includes('timeout'),
    created_at: instantText(row.createdAt),
  };
}
