import * as z from 'zod/mini';
import { below, usableSecret } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { comesAfterIncident, leavesIncidentOpen } from '../wording.ts';
import { opsgenieRequest } from './message.ts';
import type { OpsgenieSettings } from './settings.ts';

/** Creates an alert for an incident and closes it when that is over. @throws StartFailure */
export function createOpsgenieNotifier(
  settings: OpsgenieSettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const key = usableSecret(receiver, 'api_key', settings.api_key);
  const headers = { authorization: `GenieKey ${key}` };
  return createJsonNotifier({
    timeoutMs: settings.timeout,
    clock,
    hear,
    secrets: [key],
    mirrors: 'incident',
    skips: (notification) => leavesIncidentOpen(notification) || comesAfterIncident(notification),
    render: createRender(settings.template, { receiver, log }),
    callFor: (notification, words) => {
      const { path, payload } = opsgenieRequest(notification, words);
      return { url: below(settings.api_url, path), payload, headers };
    },
  });
}

/** https://docs.opsgenie.com/docs/alert-api: 202 with a `requestId`; else a message. */
const taken = z.object({ requestId: z.string() });
const refusal = z.object({ message: z.string() });

function hear(body: string, status: number): Word {
  if (status < 300) return readJson(taken, body) === null ? notUnderstood : { isTaken: true };
  return { isTaken: false, reason: readJson(refusal, body)?.message };
}
