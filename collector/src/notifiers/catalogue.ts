import { createLogNotifier } from './log/log.ts';
import type { Notifier, NotifierDeps } from './notifier.ts';
import type { NotifierSettings } from './settings.ts';
import { createWebhookNotifier } from './webhook/webhook.ts';

/** Sets up a notifier for every receiver. @throws StartFailure for what the configuration's check could not see. */
export function createNotifiers(
  settings: Readonly<Record<string, NotifierSettings>>,
  deps: Omit<NotifierDeps, 'receiver'>,
): Map<string, Notifier> {
  return new Map(Object.entries(settings).map(([receiver, one]) => [receiver, create(one, { ...deps, receiver })]));
}

function create(settings: NotifierSettings, deps: NotifierDeps): Notifier {
  switch (settings.type) {
    case 'log':
      return createLogNotifier(deps.log, deps.hostname);
    case 'webhook':
      return createWebhookNotifier(settings, deps);
    default:
      return settings satisfies never;
  }
}
