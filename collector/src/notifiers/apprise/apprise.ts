import { usableUrl } from '../fields.ts';
import { createHttpClient, type HttpAnswer, httpLimits, judgeAnswer } from '../http.ts';
import type { DeliveryOutcome, Notifier, NotifierDeps } from '../notifier.ts';
import { createRender, withNote } from '../template.ts';
import { appriseMessage } from './message.ts';
import type { AppriseSettings } from './settings.ts';

/** Hands notifications to an Apprise API server, for the services that have no notifier of their own here. */
export function createAppriseNotifier(
  { url, targets, tag, template, headers, timeout }: AppriseSettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const target = usableUrl(receiver, url);
  const render = createRender(template, { receiver, log });
  const client = createHttpClient({ ...httpLimits, totalTimeoutMs: timeout });
  return {
    deliver: async (notification, { signal }) => {
      const rendered = await render(notification);
      const answer = await client.post({
        url: target,
        headers: {
          'user-agent': 'runnerwatch',
          ...headers,
          'content-type': 'application/json',
          accept: 'application/json',
        },
        body: JSON.stringify(appriseMessage(notification, { targets, tag, rendered })),
        signal,
      });
      return withNote(judgeApprise(answer, clock.wallMs()), rendered.note);
    },
    preview: async (notification) => {
      const rendered = await render(notification);
      const { title, body } = appriseMessage(notification, { targets: [], rendered });
      return { subject: title, text: body, ...(rendered.note === undefined ? {} : { note: rendered.note }) };
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/**
 * Its own response codes: 204 is a key that nothing is configured for. 424 is one service of several that failed: to repeat it
 * would tell the others again each time, so it waits for a person.
 */
function judgeApprise(answer: HttpAnswer, now: number): DeliveryOutcome {
  const words = answer.kind === 'status' ? refusals[answer.status] : undefined;
  if (answer.kind !== 'status' || words === undefined) return judgeAnswer(answer, now);
  return { outcome: 'refused', httpStatus: answer.status, error: `HTTP ${answer.status}: ${words}` };
}

const refusals: Readonly<Record<number, string>> = {
  204: 'nothing is configured for that key, or no target was given',
  424: 'at least one of the services behind it failed',
};
