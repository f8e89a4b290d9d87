import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type * as z from 'zod';
import type { Queries } from '../../db/database.ts';
import type { Word } from '../../pings/ending.ts';
import { type Taken, takePing } from '../../pings/pings.ts';
import { cleanName, lastWords } from '../../pings/words.ts';
import { badRequest } from '../errors.ts';
import { jobNamed } from '../job-name.ts';
import { pingAnswer, pingBody, pingEndParams, pingParams, pingQuery } from '../schemas/ping.ts';

export interface PingRouteParts {
  readonly queries: Queries;
  readonly clock: Clock;
  /** After the commit. */
  readonly onTaken: (taken: Taken) => void;
}

interface Asked {
  readonly params: { readonly job: string };
  readonly query: z.output<typeof pingQuery>;
  readonly body: string | null | undefined;
}

/** `/ping/:job`, with `/start`, `/fail` or an exit code behind it. */
export function pingRoutes({ queries, clock, onTaken }: PingRouteParts): FastifyPluginAsyncZod {
  const take = async ({ params, query, body }: Asked, word: Word): Promise<z.output<typeof pingAnswer>> => {
    const ping = {
      job: jobNamed('job', params.job),
      runId: nameOrNull('rid', query.rid),
      owner: nameOrNull('owner', query.owner),
      node: nameOrNull('node', query.node),
      word,
      logTail: body === null || body === undefined ? null : lastWords(body),
    };
    const taken = await takePing(queries, ping, new Date(clock.wallMs()));
    onTaken(taken);
    return { task_id: taken.task.id, status: taken.task.status, is_new: taken.changedTaskIds.length > 0 };
  };
  return async (app) => {
    // A log is a log, whatever its sender calls it: `curl -d` says it is a form.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', async (_request: unknown, payload: AsyncIterable<Uint8Array>) => lastBytes(payload));
    const shape = (summary: string) => ({
      tags: ['pings'],
      summary,
      params: pingParams,
      querystring: pingQuery,
      consumes: ['text/plain'],
      body: pingBody,
      response: { 200: pingAnswer },
    });
    app.post(
      '/ping/:job',
      { config: { role: 'operator', isAudited: false }, schema: shape('A run of this job ended well.') },
      async (request) => take(request, { kind: 'end', isFailure: false, exitCode: null }),
    );
    app.post(
      '/ping/:job/start',
      { config: { role: 'operator', isAudited: false }, schema: shape('A run of this job begins.') },
      async (request) => take(request, { kind: 'start' }),
    );
    app.post(
      '/ping/:job/fail',
      { config: { role: 'operator', isAudited: false }, schema: shape('A run of this job failed.') },
      async (request) => take(request, { kind: 'end', isFailure: true, exitCode: null }),
    );
    app.post(
      '/ping/:job/:exit_code',
      {
        config: { role: 'operator', isAudited: false },
        schema: { ...shape('A run of this job ended with this exit code: well with 0.'), params: pingEndParams },
      },
      async (request) => {
        const exitCode = Number(request.params.exit_code);
        return take(request, { kind: 'end', isFailure: exitCode !== 0, exitCode });
      },
    );
  };
}

/** @throws ApiError bad_request */
function nameOrNull(field: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const name = cleanName(text);
  if (name === null) throw badRequest(field, 'expected a name');
  return name;
}

const logBytesMax = 64 * 1024;

/** The end of a body of any size, from its first whole line on. */
async function lastBytes(payload: AsyncIterable<Uint8Array>): Promise<string> {
  let kept = Buffer.alloc(0);
  let isCut = false;
  for await (const chunk of payload) {
    isCut ||= kept.length + chunk.length > logBytesMax;
    kept = Buffer.concat([kept, chunk]).subarray(-logBytesMax);
  }
  const text = kept.toString();
  return isCut ? text.slice(text.indexOf('\n') + 1) : text;
}
