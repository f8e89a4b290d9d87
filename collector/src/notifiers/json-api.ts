import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import * as z from 'zod/mini';
import { createHttpClient, type HttpAnswer, httpLimits, judgeAnswer, retryAfterMsMax } from './http.ts';
import type { DeliveryOutcome, Notifier } from './notifier.ts';
import { previewOf, shortened } from './parts.ts';
import { builtIn, type Render, type Rendered, withNote } from './template.ts';

/** What a service says in the body of its answer, beside the status. */
export interface Word {
  /** False: it did not take the message, whatever its status says. */
  readonly isTaken: boolean;
  /** Of a message that was not taken with a status of success: the same may be taken later. */
  readonly isPassing?: boolean;
  /** Its own code or phrase for what is wrong. Shown where it can hold no secret. */
  readonly reason?: string | undefined;
  readonly afterMs?: number | undefined;
}

export interface JsonApiOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly hear: (body: string, status: number) => Word;
  /** What must never be in an error, also when the service repeats it. */
  readonly secrets: readonly string[];
}

export interface JsonCall {
  readonly url: URL;
  readonly payload: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The call that tells a notification in these words. */
export type CallFor = (notification: Notification, words: Rendered) => JsonCall;

export interface Answered {
  readonly outcome: DeliveryOutcome;
  /** '' without an answer. */
  readonly body: string;
}

/** The calls of one attempt to deliver, which have its time together. */
export interface Attempt {
  /** One POST of JSON, judged by status and body. Never rejects. */
  call(call: JsonCall): Promise<Answered>;
  /**
   * Tells a notification with one call. One that its service refuses for what is in it goes out again, shortened and in the
   * built-in words.
   */
  tell(notification: Notification, words: Rendered, callFor: CallFor): Promise<Answered>;
}

export interface JsonApi extends AsyncDisposable {
  begin(signal: AbortSignal): Attempt;
}

/** For services with an API of JSON, whose status alone does not say whether they took a message. */
export function createJsonApi({ timeoutMs, clock, hear, secrets }: JsonApiOptions): JsonApi {
  const client = createHttpClient({ ...httpLimits, totalTimeoutMs: timeoutMs });
  const call = async ({ url, payload, headers }: JsonCall, limit: { signal: AbortSignal; timeoutMs: number }) => {
    const answer = await client.post({
      url,
      headers: { 'user-agent': 'runnerwatch', ...headers, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(payload),
      wantsBody: true,
      ...limit,
    });
    const body = answer.kind === 'status' ? (answer.body ?? '') : '';
    const word = answer.kind === 'status' ? hear(body, answer.status) : null;
    return { outcome: judge(answer, { word, now: clock.wallMs(), secrets }), body };
  };
  return {
    begin: (signal) => {
      const endsAt = clock.monotonicMs() + timeoutMs;
      const callInTime = (one: JsonCall) => call(one, { signal, timeoutMs: endsAt - clock.monotonicMs() });
      return {
        call: callInTime,
        tell: async (notification, words, callFor) => {
          const first = await callInTime(callFor(notification, words));
          const noted = ({ outcome, body }: Answered, note = words.note) => ({
            outcome: withNote(outcome, note),
            body,
          });
          if (!isForItsContent(first.outcome)) return noted(first);
          const second = await callInTime(callFor(shortened(notification), builtIn));
          if (second.outcome.outcome !== 'delivered') return first;
          const isTemplated = words.subject !== null || words.text !== null;
          return isTemplated ? noted(second, templateRefused) : noted(second);
        },
      };
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

const templateRefused = 'the service refused the words of the template and the built-in text was sent';

/** A refusal that another message may not get. */
function isForItsContent({ outcome, httpStatus = 0 }: DeliveryOutcome): boolean {
  const isSaidInBody = httpStatus >= 200 && httpStatus < 300;
  return outcome === 'refused' && (isSaidInBody || httpStatus === 400 || httpStatus === 413 || httpStatus === 422);
}

export interface JsonNotifierOptions extends JsonApiOptions, Pick<Notifier, 'mirrors'> {
  readonly render: Render;
  readonly callFor: CallFor;
  /** Of these the service has nothing to hear: they count as delivered. */
  readonly skips?: (notification: Notification) => boolean;
}

/** For services that take a notification with one POST. */
export function createJsonNotifier({
  render,
  callFor,
  skips = () => false,
  mirrors,
  ...options
}: JsonNotifierOptions): Notifier {
  const api = createJsonApi(options);
  return {
    deliver: async (notification, { signal }) => {
      if (skips(notification)) return { outcome: 'delivered' };
      const { outcome } = await api.begin(signal).tell(notification, await render(notification), callFor);
      return outcome;
    },
    preview: async (notification) => previewOf(notification, await render(notification)),
    ...(mirrors === undefined ? {} : { mirrors }),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** The word of a service whose answer is not one of its own: a proxy's page, a half of a body. Nobody knows whether it took the message. */
export const notUnderstood: Word = { isTaken: false, isPassing: true, reason: 'its answer is not one of this service' };

/** A body read by a schema; null for what is no JSON or does not fit. */
export function readJson<T extends z.ZodMiniType>(schema: T, body: string): z.output<T> | null {
  try {
    return z.parse(schema, JSON.parse(body));
  } catch {
    return null;
  }
}

function judge(
  answer: HttpAnswer,
  { word, now, secrets }: { word: Word | null; now: number; secrets: readonly string[] },
): DeliveryOutcome {
  const byStatus = judgeAnswer(answer, now);
  if (word === null) return byStatus;
  const { httpStatus } = byStatus;
  const status = httpStatus === undefined ? {} : { httpStatus };
  const reason = word.reason !== undefined && isShowable(word.reason, secrets) ? word.reason : null;
  if (byStatus.outcome === 'delivered') {
    if (word.isTaken) return byStatus;
    const error = `the service did not take it${reason === null ? '' : `: ${reason}`}`;
    return word.isPassing === true
      ? { outcome: 'retry', ...status, error, ...after(word) }
      : { outcome: 'refused', ...status, error };
  }
  const error = reason === null ? byStatus.error : `${byStatus.error} (${reason})`;
  return byStatus.outcome === 'retry' ? { ...byStatus, error, ...after(word) } : { ...byStatus, error };
}

function after({ afterMs }: Word): { afterMs?: number } {
  const isUsable = afterMs !== undefined && Number.isFinite(afterMs) && afterMs >= 0;
  return isUsable ? { afterMs: Math.min(afterMs, retryAfterMsMax) } : {};
}

/** A phrase of words; not what looks like a key, and none of those we know. */
function isShowable(reason: string, secrets: readonly string[]): boolean {
  if (reason.length > 200 || !/^[\w '",.:;()/-]+$/.test(reason)) return false;
  if (secrets.some((secret) => secret !== '' && reason.includes(secret))) return false;
  return reason.split(/[^A-Za-z0-9]+/).every((word) => (/\d/.test(word) ? word.length <= 4 : word.length <= 30));
}
