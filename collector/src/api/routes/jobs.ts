import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Queries } from '../../db/database.ts';
import { findExpectation } from '../../tasks/expectations.ts';
import { findJob, listJobs, parseJobId } from '../../tasks/jobs.ts';
import { notFound } from '../errors.ts';
import { toExpectation } from '../schemas/expectation.ts';
import { jobDetailQuery, jobDetailSchema, jobParams, jobQuery, jobSchema } from '../schemas/job.ts';
import { invalidCursor, page, parseMoment } from '../schemas/paging.ts';

export interface JobRouteParts {
  readonly queries: Queries;
  readonly clock: Clock;
}

const tags = ['jobs'];

/** `/jobs` and `/jobs/:id`. */
export function jobRoutes({ queries, clock }: JobRouteParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/jobs',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Jobs by project and name, with what their runs came to.',
          querystring: jobQuery,
          response: { 200: page(jobSchema) },
        },
      },
      async ({ query }) => {
        if (query.cursor !== undefined && parseJobId(query.cursor) === undefined) throw invalidCursor();
        const since = parseMoment('since', query.since, clock.wallMs());
        const { search, limit, cursor: after } = query;
        const { items, next } = await listJobs(queries, { since, search, limit, after });
        return { items: items.map((item) => ({ ...item, last_runs: [...item.last_runs] })), next_cursor: next };
      },
    );

    app.get(
      '/jobs/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'One job: runs, failure rate, causes, durations, what is expected of it.',
          params: jobParams,
          querystring: jobDetailQuery,
          response: { 200: jobDetailSchema },
        },
      },
      async ({ params, query }) => {
        const job = await findJob(queries, params.id, parseMoment('since', query.since, clock.wallMs()));
        if (job === null) throw notFound(`job ${params.id}`);
        const expected = await findExpectation(queries, job.id);
        return {
          ...job,
          days: [...job.days],
          expectation: expected === null ? null : toExpectation(expected, clock.wallMs()),
        };
      },
    );
  };
}
