export interface GetRequest {
  readonly url: URL;
  readonly token: string | null;
  readonly signal: AbortSignal;
  /** The answer's body, as it arrives. What it throws ends the reading: `notWhatWasAsked`. */
  readonly onText: (piece: string) => void;
}

export type GetOutcome =
  | { readonly kind: 'read' }
  /** `isElsewhere`: something answers there, but not what was asked for: it may be at another path. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isElsewhere: boolean; readonly status: number | null };

/** From the request to the end of the answer. */
export const answerTimeoutMs = 5000;
const bodyBytesMax = 32 * 1024 * 1024;

/** One GET of JSON, bounded in time and bytes; redirects are not followed. Never rejects; no reason repeats an address or a body. */
export async function getJson({ url, token, signal, onText }: GetRequest): Promise<GetOutcome> {
  const limit = AbortSignal.timeout(answerTimeoutMs);
  try {
    const answer = await fetch(url, {
      headers: {
        accept: 'application/json',
        'user-agent': 'runnerwatch',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit]),
    });
    const refusal = refusalOf(answer);
    if (refusal === null) return await readBody(answer, onText);
    await answer.body?.cancel();
    return refusal;
  } catch (error) {
    if (limit.aborted) return failed(`no whole answer within ${answerTimeoutMs / 1000} s`);
    return failed(
      signal.aborted ? 'the collector stops' : (reasons[codeOf(error)] ?? `no connection (${codeOf(error)})`),
    );
  }
}

async function readBody({ body, status }: Response, onText: (piece: string) => void): Promise<GetOutcome> {
  const decoder = new TextDecoder();
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += (chunk as Uint8Array).length;
    if (bytes > bodyBytesMax) return failed('the answer is larger than 32 MiB');
    try {
      onText(decoder.decode(chunk as Uint8Array, { stream: true }));
    } catch {
      return { ...failed('the answer is not the list of tasks'), isElsewhere: true, status };
    }
  }
  return { kind: 'read' };
}

function refusalOf({ status, headers }: Response): Extract<GetOutcome, { kind: 'failed' }> | null {
  if (status === 401 || status === 403)
    return { ...failed(`HTTP ${status}: it wants a token of someone who may see all tasks`), status };
  if (status >= 300 && status < 400)
    return {
      ...failed(`HTTP ${status}: a redirect, which is not followed; configure the address it points to`),
      status,
    };
  if (status < 200 || status >= 300)
    return { ...failed(`HTTP ${status}`), isElsewhere: status === 404 || status === 405, status };
  const type = headers.get('content-type')?.split(';')[0] ?? 'of no type';
  if (!/[/+]json$/.test(type))
    return {
      ...failed('the answer is not JSON; is that the address of its page instead of its API?'),
      isElsewhere: true,
      status,
    };
  return null;
}

function failed(reason: string): Extract<GetOutcome, { kind: 'failed' }> {
  return { kind: 'failed', reason, isElsewhere: false, status: null };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed before an answer',
  UND_ERR_SOCKET: 'the connection was closed before an answer',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'no route to the host',
};

function codeOf(error: unknown): string {
  const outer = error instanceof Error ? (error.cause ?? error) : error;
  const cause: unknown = outer instanceof AggregateError ? outer.errors[0] : outer;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown reason';
}
