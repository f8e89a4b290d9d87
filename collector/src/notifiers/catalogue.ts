import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { createAlertmanagerNotifier } from './alertmanager/alertmanager.ts';
import { createAppriseNotifier } from './apprise/apprise.ts';
import { createDiscordNotifier } from './discord/discord.ts';
import { createEmailNotifier } from './email/email.ts';
import type { EmailSettings, SmtpSettings } from './email/settings.ts';
import { createExecNotifier } from './exec/exec.ts';
import { createGotifyNotifier } from './gotify/gotify.ts';
import { createLogNotifier } from './log/log.ts';
import { createMattermostNotifier } from './mattermost/mattermost.ts';
import type { Notifier, NotifierDeps, Rate } from './notifier.ts';
import { createNtfyNotifier } from './ntfy/ntfy.ts';
import { createOpsgenieNotifier } from './opsgenie/opsgenie.ts';
import { createPagerdutyNotifier } from './pagerduty/pagerduty.ts';
import { withoutDetails } from './parts.ts';
import type { NotifierSettings } from './settings.ts';
import { createSlackNotifier } from './slack/slack.ts';
import { createTeamsNotifier } from './teams/teams.ts';
import { createTelegramNotifier } from './telegram/telegram.ts';
import { createWebhookNotifier } from './webhook/webhook.ts';

/** Sets up a notifier for every receiver. @throws StartFailure for what the configuration's check could not see. */
export function createNotifiers(
  settings: Readonly<Record<string, NotifierSettings>>,
  deps: Omit<NotifierDeps, 'receiver'>,
): Map<string, Notifier> {
  return new Map(
    Object.entries(settings).map(([receiver, one]) => {
      const notifier = create(one, { ...deps, receiver });
      return [receiver, one.type !== 'log' && one.brief === true ? asBrief(notifier) : notifier];
    }),
  );
}

function asBrief(notifier: Notifier): Notifier {
  const preview = notifier.preview?.bind(notifier);
  return {
    ...notifier,
    deliver: (notification, options) => notifier.deliver(withoutDetails(notification), options),
    ...(preview === undefined ? {} : { preview: (notification) => preview(withoutDetails(notification)) }),
  };
}

/** What the configuration says on how many a receiver gets at most. */
export function ratesOf(settings: Readonly<Record<string, NotifierSettings>>): Map<string, Rate> {
  return new Map(
    Object.entries(settings).flatMap(([receiver, one]) =>
      one.type === 'log' || one.rate_limit === undefined ? [] : [[receiver, one.rate_limit]],
    ),
  );
}

/** Those that keep an object of their own for each incident, or each alert. */
export function mirrorsAmong(notifiers: ReadonlyMap<string, Notifier>): Map<string, 'incident' | 'alert'> {
  return new Map(
    [...notifiers].flatMap(([receiver, { mirrors }]) => (mirrors === undefined ? [] : [[receiver, mirrors]])),
  );
}

function create(settings: NotifierSettings, deps: NotifierDeps): Notifier {
  switch (settings.type) {
    case 'log':
      return createLogNotifier(deps.log, deps.hostname);
    case 'webhook':
      return createWebhookNotifier(settings, deps);
    case 'email':
      return createEmailNotifier({ ...settings, smtp: mailServer(settings, deps.receiver) }, deps);
    case 'exec':
      return createExecNotifier(settings, deps);
    case 'alertmanager':
      return createAlertmanagerNotifier(settings, deps);
    case 'apprise':
      return createAppriseNotifier(settings, deps);
    case 'slack':
      return createSlackNotifier(settings, deps);
    case 'mattermost':
      return createMattermostNotifier(settings, deps);
    case 'discord':
      return createDiscordNotifier(settings, deps);
    case 'teams':
      return createTeamsNotifier(settings, deps);
    case 'telegram':
      return createTelegramNotifier(settings, deps);
    case 'ntfy':
      return createNtfyNotifier(settings, deps);
    case 'pagerduty':
      return createPagerdutyNotifier(settings, deps);
    case 'opsgenie':
      return createOpsgenieNotifier(settings, deps);
    case 'gotify':
      return createGotifyNotifier(settings, deps);
    default:
      return settings satisfies never;
  }
}

/** The configuration's check has seen to it; a receiver made elsewhere may not have. */
function mailServer({ smtp }: EmailSettings, receiver: string): SmtpSettings {
  if (smtp !== undefined) return smtp;
  throw new StartFailure('config', `notifications.notifiers.${receiver}.smtp: expected a mail server`);
}
