import * as z from 'zod/mini';
import { below, secretsIn, usableSecret, usableUrl } from '../fields.ts';
import { createJsonApi, createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { DeliverOptions, DeliveryOutcome, Notifier, NotifierDeps } from '../notifier.ts';
import { previewOf } from '../parts.ts';
import { createRender } from '../template.ts';
import { slackMessage, slackReply, slackState } from './message.ts';
import type { SlackSettings } from './settings.ts';

type Deps = Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>;

/** Posts to an incoming webhook, or as a bot, which keeps one thread for an incident. @throws StartFailure */
export function createSlackNotifier(settings: SlackSettings, deps: Deps): Notifier {
  const isBot = settings.bot_token !== undefined || settings.bot_token_file !== undefined;
  return isBot ? createBot(settings, deps) : createWebhook(settings, deps);
}

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: the body is `ok`, or a word such as `no_service`. */
function createWebhook({ url, template, timeout }: SlackSettings, { receiver, clock, log }: Deps): Notifier {
  const target = usableUrl(receiver, url);
  const hear = (body: string, status: number): Word =>
    body === 'ok'
      ? { isTaken: true }
      : status < 300 && !isCode(body)
        ? notUnderstood
        : { isTaken: false, reason: body };
  return createJsonNotifier({
    timeoutMs: timeout,
    clock,
    hear,
    secrets: secretsIn(target),
    render: createRender(template, { receiver, log }),
    callFor: (notification, words) => ({ url: target, payload: slackMessage(notification, words) }),
  });
}

/*
 * A bot's first message of an incident is its thread: later news edit that message's state line and stand in its thread.
 * The edit comes first. It can be done twice without harm, so an attempt that ends between the two repeats nothing in front of people;
 * what cannot be edited (deleted, too old, another channel by now) is no reason to be silent: the news then begin a new thread.
 */
function createBot(settings: SlackSettings, { receiver, clock, log }: Deps): Notifier {
  const token = usableSecret(receiver, 'bot_token', settings.bot_token);
  const { channel = '' } = settings;
  const render = createRender(settings.template, { receiver, log });
  const api = createJsonApi({ timeoutMs: settings.timeout, clock, hear: hearApi, secrets: [token] });
  const headers = { authorization: `Bearer ${token}` };
  const to = (method: string, payload: object) => ({ url: below(settings.api_url, method), payload, headers });
  return {
    deliver: async (notification, { signal, thread = null }: DeliverOptions): Promise<DeliveryOutcome> => {
      const attempt = api.begin(signal);
      const words = await render(notification);
      const first = readHandle(thread, channel);
      if (first !== null) {
        const state = { ...first, parse: 'none', ...slackState(notification, words) };
        const { outcome } = await attempt.call(to('chat.update', state));
        if (outcome.outcome === 'retry') return outcome;
        if (outcome.outcome === 'delivered') {
          const reply = await attempt.tell(notification, words, (told, said) =>
            to('chat.postMessage', slackReply(told, said, first)),
          );
          return reply.outcome;
        }
      }
      const { outcome, body } = await attempt.tell(notification, words, (told, said) =>
        to('chat.postMessage', { channel, ...slackMessage(told, said) }),
      );
      const handle = notification.incident === null ? null : handleOf(body, channel);
      return outcome.outcome === 'delivered' && handle !== null ? { ...outcome, handle } : outcome;
    },
    preview: async (notification) => previewOf(notification, await render(notification)),
    keepsThreads: true,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** https://docs.slack.dev/apis/web-api: `ok` says it, not the status. */
const apiAnswer = z.object({
  ok: z.boolean(),
  error: z.optional(z.string()),
  ts: z.optional(z.string()),
  channel: z.optional(z.string()),
});

/** Errors of Slack's own making that pass. */
const passing = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
]);

function hearApi(body: string, status: number): Word {
  const said = readJson(apiAnswer, body);
  if (said === null) return status < 300 ? notUnderstood : { isTaken: false };
  return { isTaken: said.ok, isPassing: passing.has(said.error ?? ''), reason: said.error };
}

function isCode(body: string): boolean {
  return /^[a-z_]{1,64}$/.test(body.trim());
}

/** Where a thread begins: the channel's id and the message's time, and the channel as it was configured then. */
function handleOf(body: string, configured: string): string | null {
  const said = readJson(apiAnswer, body);
  if (said?.ts === undefined || said.channel === undefined) return null;
  return JSON.stringify([said.channel, said.ts, configured]);
}

const handleParts = z.tuple([z.string(), z.string(), z.string()]);

/** Null for a handle of another channel or another notifier, from before the configuration was changed. */
function readHandle(handle: string | null, configured: string): { channel: string; ts: string } | null {
  const read = handle === null ? null : readJson(handleParts, handle);
  return read === null || read[2] !== configured ? null : { channel: read[0], ts: read[1] };
}
