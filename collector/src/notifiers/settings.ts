import * as z from 'zod/mini';
import { alertmanagerSettings } from './alertmanager/settings.ts';
import { appriseSettings } from './apprise/settings.ts';
import { emailSettings } from './email/settings.ts';
import { execSettings } from './exec/settings.ts';
import { logSettings } from './log/settings.ts';
import { webhookSettings } from './webhook/settings.ts';

/** One receiver's settings, by `type`. A new kind is a folder beside this file, a line here, and a case in catalogue.ts. */
const kinds = [
  logSettings,
  webhookSettings,
  emailSettings,
  execSettings,
  alertmanagerSettings,
  appriseSettings,
] as const;

export const notifierSettings = z.discriminatedUnion('type', kinds, {
  error: `expected type: one of ${kinds.map(({ def }) => def.shape.type.def.values[0]).join(', ')}`,
});
export type NotifierSettings = z.output<typeof notifierSettings>;
