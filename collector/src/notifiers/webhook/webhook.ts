import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { createHttpClient, httpLimits, judgeAnswer } from '../http.ts';
import type { Notifier } from '../notifier.ts';
import { keyOf, signatureHeaders } from './sign.ts';

export interface WebhookOptions {
  readonly url: string;
  /** Each signs every message. Without any the message goes out unsigned, which the configuration's owner has chosen. */
  readonly secrets: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Posts the public body as JSON, signed by Standard Webhooks. The address comes from the configuration file and is trusted. */
export function createWebhookNotifier({ url, secrets, headers, timeoutMs, clock }: WebhookOptions): Notifier {
  const target = new URL(url);
  const keys = secrets.map(keyOf);
  const client = createHttpClient({ ...httpLimits, totalTimeoutMs: timeoutMs });
  return {
    deliver: async (notification, { signal }) => {
      const body = JSON.stringify(notification);
      const signed = signatureHeaders({ id: notification.id, at: clock.wallMs(), body, keys });
      const answer = await client.post({
        url: target,
        headers: { 'user-agent': 'runnerwatch', ...headers, 'content-type': 'application/json', ...signed },
        body,
        signal,
      });
      return judgeAnswer(answer, clock.wallMs());
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
