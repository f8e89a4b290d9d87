import { keyOf, signatureHeaders } from '@runnerwatch/shared/webhook/sign.ts';
import type { AddressGuard } from '../address-guard.ts';
import { usableUrl } from '../fields.ts';
import { createHttpClient, httpLimits, judgeAnswer } from '../http.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import type { WebhookSettings } from './settings.ts';

/**
 * Posts the public body as JSON, signed by Standard Webhooks with every secret there is; without any it goes out unsigned, which
 * the configuration's owner has chosen. The address comes from the configuration file and is trusted, unless there is a guard.
 * @throws StartFailure for an address that is none.
 */
export function createWebhookNotifier(
  { url, secret, secrets, headers, timeout }: WebhookSettings,
  { receiver, clock, guard }: Pick<NotifierDeps, 'receiver' | 'clock'> & { readonly guard?: AddressGuard },
): Notifier {
  const target = usableUrl(receiver, url);
  const keys = [...(secret === undefined ? [] : [secret]), ...secrets].map(keyOf);
  const client = createHttpClient({ ...httpLimits, totalTimeoutMs: timeout }, guard);
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
