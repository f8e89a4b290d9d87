import type { HookOutcome } from './outcome.ts';

export interface PostOptions {
  readonly url: string;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One POST of JSON; any answer of 200 to 299 is well. Redirects are not followed, what comes behind the headers is not read. */
export async function post({ url, body, timeoutMs, signal }: PostOptions): Promise<HookOutcome> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'runnerwatch' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit]),
    });
    await answer.body?.cancel();
    return answer.ok ? { kind: 'done' } : { kind: 'failed', reason: `the answer is HTTP ${answer.status}` };
  } catch (error) {
    if (signal.aborted) return { kind: 'failed', reason: 'the agent stopped' };
    if (limit.aborted) return { kind: 'failed', reason: `no answer within ${timeoutMs} ms` };
    return { kind: 'failed', reason: `no connection (${codeOf(error)})` };
  }
}

/** Never the message: it may name the address, which may hold a token. */
function codeOf(error: unknown): string {
  const outer = error instanceof Error ? error.cause : undefined;
  const cause: unknown = outer instanceof AggregateError ? outer.errors[0] : outer;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown reason';
}
