import { secretsIn, usableUrl } from '../fields.ts';
import { createJsonNotifier, notUnderstood, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { teamsMessage } from './message.ts';
import type { TeamsSettings } from './settings.ts';

/** Posts a card to a workflow's webhook. @throws StartFailure */
export function createTeamsNotifier(
  { url, template, timeout }: TeamsSettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const target = usableUrl(receiver, url);
  return createJsonNotifier({
    timeoutMs: timeout,
    clock,
    hear,
    secrets: secretsIn(target),
    render: createRender(template, { receiver, log }),
    callFor: (notification, words) => ({ url: target, payload: teamsMessage(notification, words) }),
  });
}

/**
 * A workflow says 202 and nothing. A connector says 200 with `1`, or 200 with the real status in a sentence
 * (https://github.com/MicrosoftDocs/msteams-docs/issues/1810).
 */
function hear(body: string, status: number): Word {
  if (status < 300 && /^\s*</.test(body)) return notUnderstood;
  if (!body.startsWith('Webhook message delivery failed')) return { isTaken: true };
  const inner = Number(/HTTP error (\d{3})/.exec(body)?.[1] ?? 500);
  const isPassing = inner === 408 || inner === 429 || inner >= 500;
  return { isTaken: false, isPassing, reason: `HTTP ${inner} inside` };
}
