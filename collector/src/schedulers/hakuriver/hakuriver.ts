import type { Scheduler } from '../scheduler.ts';
import { createTaskListing } from '../task-listing.ts';

/** HakuRiver up to October 2025. Its host serves at the root; `/api` is of the page's proxy. No authentication of its own. */
export function createHakuRiver({ url, token }: { url: string; token: string | null }): Scheduler {
  return createTaskListing({
    type: 'hakuriver',
    // A task without a container is a scope (`hakuriver-task-<id>.scope`), one with is a container of that name.
    runsIn: ['systemd', 'containers'],
    prefixes: ['', '/api'],
    url,
    token,
  });
}
