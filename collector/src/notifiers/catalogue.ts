import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Logger } from 'pino';
import { createLogNotifier } from './log/log.ts';
import type { Notifier } from './notifier.ts';
import { createWebhookNotifier } from './webhook/webhook.ts';

/** One receiver's settings, as the configuration has them (durations in milliseconds). */
export type NotifierSettings =
  | { readonly type: 'log' }
  | {
      readonly type: 'webhook';
      readonly url?: string | undefined;
      readonly secret?: string | undefined;
      readonly secrets: readonly string[];
      readonly headers: Readonly<Record<string, string>>;
      readonly timeout: number;
    };

export interface NotifierDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** This machine's name. */
  readonly hostname: string;
}

/** Sets up a notifier for every receiver. A new kind is a folder beside this file, a member above and a case below. @throws StartFailure for an address that is none. */
export function createNotifiers(
  settings: Readonly<Record<string, NotifierSettings>>,
  deps: NotifierDeps,
): Map<string, Notifier> {
  return new Map(Object.entries(settings).map(([name, one]) => [name, create(name, one, deps)]));
}

function create(name: string, settings: NotifierSettings, { log, clock, hostname }: NotifierDeps): Notifier {
  switch (settings.type) {
    case 'log':
      return createLogNotifier(log, hostname);
    case 'webhook':
      return createWebhookNotifier({
        url: usable(name, settings.url),
        secrets: [...(settings.secret === undefined ? [] : [settings.secret]), ...settings.secrets],
        headers: settings.headers,
        timeoutMs: settings.timeout,
        clock,
      });
    default:
      return settings satisfies never;
  }
}

/** An address from a file of its own comes after the configuration was checked. It may hold a token, so it is not repeated. */
function usable(name: string, url: string | undefined): string {
  if (url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new StartFailure(
    'config',
    `notifications.notifiers.${name}.url: expected a URL such as https://example.org/hook`,
  );
}
