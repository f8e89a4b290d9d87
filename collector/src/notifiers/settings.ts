import * as z from 'zod/mini';
import { alertmanagerSettings } from './alertmanager/settings.ts';
import { appriseSettings } from './apprise/settings.ts';
import { discordSettings } from './discord/settings.ts';
import { emailSettings } from './email/settings.ts';
import { execSettings } from './exec/settings.ts';
import { gotifySettings } from './gotify/settings.ts';
import { logSettings } from './log/settings.ts';
import { mattermostSettings } from './mattermost/settings.ts';
import { ntfySettings } from './ntfy/settings.ts';
import { opsgenieSettings } from './opsgenie/settings.ts';
import { pagerdutySettings } from './pagerduty/settings.ts';
import { slackSettings } from './slack/settings.ts';
import { teamsSettings } from './teams/settings.ts';
import { telegramSettings } from './telegram/settings.ts';
import { webhookSettings } from './webhook/settings.ts';

/** One receiver's settings, by `type`. A new kind is a folder beside this file, a line here, and a case in catalogue.ts. */
const kinds = [
  logSettings,
  webhookSettings,
  emailSettings,
  execSettings,
  alertmanagerSettings,
  appriseSettings,
  slackSettings,
  mattermostSettings,
  discordSettings,
  teamsSettings,
  telegramSettings,
  ntfySettings,
  pagerdutySettings,
  opsgenieSettings,
  gotifySettings,
] as const;

export const notifierSettings = z.discriminatedUnion('type', kinds, {
  error: `expected a type, one of ${kinds.map(({ def }) => def.shape.type.def.values[0]).join(', ')}`,
});
export type NotifierSettings = z.output<typeof notifierSettings>;
