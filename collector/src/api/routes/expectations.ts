import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { deleteExpectation, type ExpectationRow, findExpectation, saveExpectation } from '../../tasks/expectations.ts';
import { findJobName, type JobName, jobId } from '../../tasks/jobs.ts';
import { badRequest, notFound } from '../errors.ts';
import { jobNamed } from '../job-name.ts';
import { durationOrNull, expectation, expectationBody, toExpectation } from '../schemas/expectation.ts';
import { jobParams } from '../schemas/job.ts';
import { toMs } from '../schemas/routing.ts';
import type { JobRouteParts } from './jobs.ts';

const tags = ['jobs'];
const params = jobParams;

/** `/jobs/:id/expectation`. The job need not have run yet. */
export function expectationRoutes({ queries, clock }: JobRouteParts): FastifyPluginAsyncZod {
  const jobOf = async (id: string): Promise<JobName> => (await findJobName(queries, id)) ?? jobNamed('id', id);
  return async (app) => {
    app.get(
      '/jobs/:id/expectation',
      {
        config: { role: 'viewer' },
        schema: { tags, summary: "What is expected of a job's runs.", params, response: { 200: expectation } },
      },
      async ({ params: { id } }) => {
        const row = await findExpectation(queries, jobId(await jobOf(id)));
        if (row === null) throw notFound(`expectation of job ${id}`);
        return toExpectation(row, clock.wallMs());
      },
    );
    app.put(
      '/jobs/:id/expectation',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Says when its runs must start, how long they may take, how many there may be at once.',
          params,
          body: expectationBody,
          response: { 200: expectation },
        },
      },
      async ({ params: { id }, body }) => {
        const row = rowOf(await jobOf(id), body, new Date(clock.wallMs()));
        await saveExpectation(queries, row);
        return toExpectation(row, clock.wallMs());
      },
    );
    app.delete(
      '/jobs/:id/expectation',
      {
        config: { role: 'operator' },
        schema: { tags, summary: 'Expects nothing of it any more.', params, response: { 204: z.null() } },
      },
      async ({ params: { id } }, reply) => {
        if (!(await deleteExpectation(queries, jobId(await jobOf(id))))) throw notFound(`expectation of job ${id}`);
        return reply.code(204).send(null);
      },
    );
  };
}

/** @throws ApiError bad_request */
function rowOf(job: JobName, body: z.output<typeof expectationBody>, setAt: Date): ExpectationRow {
  const everyMs = durationOrNull(body.every);
  const maxRunMs = durationOrNull(body.max_run);
  const minRunMs = durationOrNull(body.min_run);
  const { schedule, time_zone: timeZone, max_concurrent: maxConcurrent } = body;
  if (everyMs !== null && schedule !== null) throw badRequest('schedule', 'expected either every or schedule');
  if (timeZone !== null && schedule === null) throw badRequest('time_zone', 'expected the schedule that it is of');
  if (everyMs === null && schedule === null && maxRunMs === null && minRunMs === null && maxConcurrent === null)
    throw badRequest('every', 'expected at least one of every, schedule, max_run, min_run, max_concurrent');
  if (minRunMs !== null && maxRunMs !== null && minRunMs > maxRunMs)
    throw badRequest('min_run', 'expected at most max_run');
  return {
    jobId: jobId(job),
    project: job.project,
    job: job.name,
    everyMs,
    schedule,
    timeZone: schedule === null ? null : (timeZone ?? 'UTC'),
    graceMs: toMs(body.grace),
    maxRunMs,
    minRunMs,
    maxConcurrent,
    setAt,
  };
}
