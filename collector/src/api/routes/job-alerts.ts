import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { covers } from '../../people/roles.ts';
import { listSubscriptions, updateSubscription } from '../../routing/store.ts';
import type { SubscribableEvent } from '../../routing/subscription.ts';
import { findJobName } from '../../tasks/jobs.ts';
import { askerOf, authorOf } from '../auth.ts';
import { notFound } from '../errors.ts';
import { jobParams } from '../schemas/job.ts';
import { jobAlert, jobAlertBody, toJobAlert } from '../schemas/job-alert.ts';
import { type SubscribingDeps, subscribe } from '../subscribing.ts';

const tags = ['jobs'];

/** `GET /jobs/:id/alerts`, `POST /jobs/:id/alerts`, `DELETE /alerts/:id`: subscriptions that belong to a job and die with it. */
export function jobAlertRoutes(deps: SubscribingDeps): FastifyPluginAsyncZod {
  const { db, policy, now } = deps;
  const jobOf = async (id: string) => {
    const job = await findJobName(db.drizzle, id);
    if (job === null) throw notFound(`job ${id}`);
    return job;
  };
  return async (app) => {
    app.get(
      '/jobs/:id/alerts',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Who is told when a run of this job fails or reaches its time limit.',
          params: jobParams,
          response: { 200: z.object({ items: z.array(jobAlert), next_cursor: z.null() }) },
        },
      },
      async (request) => {
        const job = await jobOf(request.params.id);
        const rows = await listSubscriptions(db.drizzle, { origin: 'job_alert', job });
        const isWhole = covers(askerOf(request).role, 'operator');
        return { items: rows.map((row) => toJobAlert(row, isWhole)), next_cursor: null };
      },
    );
    app.post(
      '/jobs/:id/alerts',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Tells an address of its own when a run of this job fails or reaches its time limit.',
          params: jobParams,
          body: jobAlertBody,
          response: { 201: jobAlert },
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const job = await jobOf(params.id);
        const events: SubscribableEvent[] = [];
        if (body.on_failure) events.push('fail');
        if (body.on_timeout) events.push('timeout');
        const row = await subscribe(
          deps,
          {
            origin: 'job_alert',
            matchers: [],
            events,
            job: job.name,
            project: job.project,
            createdBy: authorOf(request, undefined) ?? null,
          },
          { target: { type: body.alert_type, address: body.target }, field: 'target' },
        );
        return reply.code(201).send(toJobAlert(row, true));
      },
    );
    app.delete(
      '/alerts/:id',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Ends an alert of a job.',
          params: z.object({ id: z.string().max(200) }),
          response: { 204: z.null() },
        },
      },
      async ({ params: { id } }, reply) => {
        const ended = await updateSubscription(db.drizzle, { id, origin: 'job_alert' }, { deletedAt: new Date(now()) });
        if (ended === null) throw notFound(`alert ${id} of a job`);
        await policy.refresh();
        return reply.code(204).send(null);
      },
    );
  };
}
