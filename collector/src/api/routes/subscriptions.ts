import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { backtestOf } from '../../alerts/backtest.ts';
import { listSubscriptions, updateSubscription } from '../../routing/store.ts';
import { authorOf } from '../auth.ts';
import { badRequest, conflict, notFound } from '../errors.ts';
import { instantText } from '../schemas/delivery.ts';
import { parseMoment } from '../schemas/paging.ts';
import { endOf, toMatchers, toMs } from '../schemas/routing.ts';
import {
  backtest,
  backtestBody,
  ofFile,
  ofRow,
  subscription,
  subscriptionBody,
  subscriptionChange,
} from '../schemas/subscription.ts';
import { knownReceiver, knownSteps, type SubscribingDeps, subscribe } from '../subscribing.ts';

const tags = ['notifications'];
const idParam = z.object({ id: z.string().max(200) });

/** `/subscriptions` and what is below it: who hears what, whoever said so. */
export function subscriptionRoutes(deps: SubscribingDeps): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(readingRoutes(deps));
    await app.register(changingRoutes(deps));
  };
}

function readingRoutes({ db, policy, now }: SubscribingDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/subscriptions',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary:
            "Who hears what: the file's, people's own, the alerts of jobs, watches. `enabled` false: nobody hears anything.",
          response: { 200: z.object({ enabled: z.boolean(), items: z.array(subscription), next_cursor: z.null() }) },
        },
      },
      async () => {
        const { enabled, subscriptions } = policy.base;
        const rows = await listSubscriptions(db.drizzle);
        return {
          enabled,
          items: [...subscriptions.map(ofFile), ...rows.map((row) => ofRow(row, now()))],
          next_cursor: null,
        };
      },
    );
    app.get(
      '/subscriptions/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: "One of the listing. The id of one in the file is the file's name for it.",
          params: idParam,
          response: { 200: subscription },
        },
      },
      async ({ params: { id } }) => {
        const inFile = policy.base.subscriptions.find(({ name }) => name === id);
        if (inFile !== undefined) return ofFile(inFile);
        const [row] = await listSubscriptions(db.drizzle, { id });
        if (row === undefined) throw notFound(`subscription ${id}`);
        return ofRow(row, now());
      },
    );
    app.post(
      '/subscriptions/test',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Which stored past events such a subscription would have matched. Nothing is stored or sent.',
          body: backtestBody,
          response: { 200: backtest },
        },
      },
      async ({ body: { matchers, events, since } }) => {
        const from = parseMoment('since', since, now());
        const found = await backtestOf(db.drizzle, {
          subscription: { name: 'test', matchers: toMatchers(matchers), events, receiver: '', renotifyIntervalMs: 0 },
          since: from,
        });
        return {
          since: instantText(from),
          looked_at: found.lookedAt,
          matched: found.reasons.get('matched') ?? 0,
          reasons: Object.fromEntries(found.reasons),
          complete: found.isComplete,
          items: found.examples.map((one) => ({
            transition_id: one.id,
            at: instantText(one.at),
            kind: one.kind,
            reason: one.reason,
            condition: one.condition,
            node: one.node,
            task_id: one.taskId,
            task: one.task,
          })),
        };
      },
    );
  };
}

function changingRoutes(deps: SubscribingDeps): FastifyPluginAsyncZod {
  const { db, policy, now } = deps;
  const refuseFile = (id: string) => {
    if (policy.base.subscriptions.some(({ name }) => name === id))
      throw conflict(`${id} stands in the configuration file; change it there, under notifications.subscriptions`);
  };
  return async (app) => {
    app.post(
      '/subscriptions',
      {
        config: { role: 'operator' },
        schema: { tags, summary: 'Subscribes.', body: subscriptionBody, response: { 201: subscription } },
      },
      async (request, reply) => {
        const { body } = request;
        const row = await subscribe(deps, valuesOf(deps, body, authorOf(request, body.created_by)), body);
        return reply.code(201).send(ofRow(row, now()));
      },
    );
    app.patch(
      '/subscriptions/:id',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Changes what is given, and leaves the rest. An own target stays: subscribe anew for another.',
          params: idParam,
          body: subscriptionChange,
          response: { 200: subscription },
        },
      },
      async ({ params: { id }, body }) => {
        refuseFile(id);
        const [known] = await listSubscriptions(db.drizzle, { id });
        if (known === undefined) throw notFound(`subscription ${id}`);
        if (known.origin === 'job_alert')
          throw conflict('an alert of a job is not changed; delete it with DELETE /alerts/:id and add another');
        if (body.receiver !== undefined && known.target !== null)
          throw badRequest('receiver', 'it has a target of its own; subscribe anew for another');
        const change = changeOf(deps, body);
        if (Object.keys(change).length === 0) return ofRow(known, now());
        const row = await updateSubscription(db.drizzle, { id }, change);
        if (row === null) throw notFound(`subscription ${id}`);
        await policy.refresh();
        return ofRow(row, now());
      },
    );
    app.delete(
      '/subscriptions/:id',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Unsubscribes. Who was told that something began is still told that it is over.',
          params: idParam,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id } }, reply) => {
        refuseFile(id);
        const row = await updateSubscription(db.drizzle, { id }, { deletedAt: new Date(now()) });
        if (row === null) throw notFound(`subscription ${id}`);
        await policy.refresh();
        return reply.code(204).send(null);
      },
    );
  };
}

function valuesOf(
  { policy, now }: SubscribingDeps,
  body: z.output<typeof subscriptionBody>,
  author: string | undefined,
): Parameters<typeof subscribe>[1] {
  return {
    origin: 'api',
    name: body.name ?? null,
    matchers: toMatchers(body.matchers),
    events: body.events,
    maxAlertsPerJob: body.max_alerts_per_job ?? null,
    renotifyIntervalMs: msOf(body.renotify_interval) ?? policy.base.renotifyIntervalMs ?? 0,
    groupWindowMs: msOf(body.group_window) ?? null,
    digestMs: msOf(body.digest) ?? null,
    quietHours: body.quiet_hours ?? null,
    escalate: stepsOf(policy, body.escalate) ?? null,
    expiresAt: endOf({ ends_at: body.expires_at, for: body.for }, { field: 'expires_at', now: now() }),
    createdBy: author ?? null,
  };
}

/** What is given, as columns. */
function changeOf(
  { policy, now }: SubscribingDeps,
  body: z.infer<typeof subscriptionChange>,
): Parameters<typeof updateSubscription>[2] {
  const { name, matchers, events, receiver, max_alerts_per_job, renotify_interval, quiet_hours, expires_at } = body;
  const steps = stepsOf(policy, body.escalate);
  const [groupWindowMs, digestMs] = [msOf(body.group_window), msOf(body.digest)];
  const hasEnd = expires_at !== undefined || body.for !== undefined;
  return {
    ...(name === undefined ? {} : { name }),
    ...(matchers === undefined ? {} : { matchers: toMatchers(matchers) }),
    ...(events === undefined ? {} : { events }),
    ...(receiver === undefined ? {} : { receiver: knownReceiver(policy, receiver) }),
    ...(max_alerts_per_job === undefined ? {} : { maxAlertsPerJob: max_alerts_per_job }),
    ...(renotify_interval === undefined ? {} : { renotifyIntervalMs: toMs(renotify_interval) }),
    ...(groupWindowMs === undefined ? {} : { groupWindowMs }),
    ...(digestMs === undefined ? {} : { digestMs }),
    ...(quiet_hours === undefined ? {} : { quietHours: quiet_hours }),
    ...(steps === undefined ? {} : { escalate: steps }),
    ...(hasEnd
      ? { expiresAt: endOf({ ends_at: expires_at, for: body.for }, { field: 'expires_at', now: now() }) }
      : {}),
  };
}

function stepsOf(
  policy: SubscribingDeps['policy'],
  written: z.infer<typeof subscriptionChange>['escalate'],
): ReturnType<typeof knownSteps> | null | undefined {
  return written ? knownSteps(policy, written) : written;
}

function msOf(written: string | null | undefined): number | null | undefined {
  return typeof written === 'string' ? toMs(written) : written;
}
