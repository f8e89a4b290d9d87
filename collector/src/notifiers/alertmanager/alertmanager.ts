import { createHttpClient, httpLimits, judgeAnswer } from '../http.ts';
import type { DeliveryOutcome, Notifier, NotifierDeps } from '../notifier.ts';
import { alertsOf } from './message.ts';
import type { AlertmanagerSettings } from './settings.ts';

/**
 * Hands alerts to Alertmanagers that are there already. Each member of a cluster is told, for they do not tell each other;
 * one that took it is enough, and the others are told with the next word.
 */
export function createAlertmanagerNotifier(
  settings: AlertmanagerSettings,
  { clock }: Pick<NotifierDeps, 'clock'>,
): Notifier {
  const { urls, labels, task_failure_for: taskFailureMs, timeout } = settings;
  const targets = urls.map((url) => new URL(`${url.replace(/\/+$/, '')}/api/v2/alerts`));
  const headers = {
    'user-agent': 'runnerwatch',
    ...settings.headers,
    ...authorizationOf(settings),
    'content-type': 'application/json',
  };
  const client = createHttpClient({ ...httpLimits, totalTimeoutMs: timeout });
  return {
    deliver: async (notification, { signal }) => {
      const alerts = alertsOf(notification, { labels, taskFailureMs, now: clock.wallMs() });
      if (alerts.length === 0) return { outcome: 'delivered' };
      const body = JSON.stringify(alerts);
      const answers = await Promise.all(targets.map((url) => client.post({ url, headers, body, signal })));
      return together(answers.map((answer) => judgeAnswer(answer, clock.wallMs())));
    },
    preview: async (notification) => {
      const alerts = alertsOf(notification, { labels, taskFailureMs, now: clock.wallMs() });
      return { subject: null, text: JSON.stringify(alerts, null, 2) };
    },
    mirrors: 'alert',
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function authorizationOf({ token, username, password }: AlertmanagerSettings): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
}

/** The best of them, with what the others said. Members are told apart by their place in the list: an address may hold a secret. */
function together(outcomes: readonly DeliveryOutcome[]): DeliveryOutcome {
  const best = (['delivered', 'retry', 'refused'] as const)
    .map((kind) => outcomes.find(({ outcome }) => outcome === kind))
    .find((outcome) => outcome !== undefined);
  if (best === undefined) return { outcome: 'refused', error: 'no Alertmanager is configured' };
  const failures = outcomes.flatMap((one, index) =>
    one.outcome === 'delivered' ? [] : [`urls.${index}: ${one.error}`],
  );
  if (best.outcome !== 'delivered' || failures.length === 0) return best;
  return { ...best, note: `not to every Alertmanager: ${failures.join('; ')}` };
}
