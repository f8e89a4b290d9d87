import type { Scheduler } from '../scheduler.ts';
import { createTaskListing } from '../task-listing.ts';

/** KohakuRiver, since November 2025. With `AUTH_ENABLED` the token is of someone with the role viewer. */
export function createKohakuRiver({ url, token }: { url: string; token: string | null }): Scheduler {
  return createTaskListing({
    type: 'kohakuriver',
    // Every task is a container `kohakuriver-task-<id>`.
    runsIn: ['containers'],
    prefixes: ['/api', ''],
    url,
    token,
  });
}
