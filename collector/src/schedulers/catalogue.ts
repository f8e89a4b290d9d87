import type { SchedulerConfig } from './config.ts';
import { createHakuRiver } from './hakuriver/hakuriver.ts';
import { createKohakuRiver } from './kohakuriver/kohakuriver.ts';
import type { Scheduler } from './scheduler.ts';

/** Sets up what reads a scheduler. A new kind is a folder beside this file, a type in config.ts and a case below. */
export function createScheduler({
  type,
  url,
  token = null,
}: Pick<SchedulerConfig, 'type' | 'url'> & { token?: string | null }): Scheduler {
  switch (type) {
    case 'hakuriver':
      return createHakuRiver({ url, token });
    case 'kohakuriver':
      return createKohakuRiver({ url, token });
    default:
      return type satisfies never;
  }
}
