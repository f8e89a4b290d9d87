import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { countSent, listSubscriptions, updateSubscription } from '../../routing/store.ts';
import type { SubscribableEvent } from '../../routing/subscription.ts';
import { authorOf } from '../auth.ts';
import { notFound } from '../errors.ts';
import { endOf } from '../schemas/routing.ts';
import { toWatch, watch, watchBody } from '../schemas/watch.ts';
import { type SubscribingDeps, subscribe } from '../subscribing.ts';

const tags = ['notifications'];
const idParam = z.object({ id: z.string().max(200) });
const failures: readonly SubscribableEvent[] = ['fail', 'timeout'];
const everything: readonly SubscribableEvent[] = [...failures, 'time_limit_80', 'condition', 'unreachable'];

/** `/watches`: subscriptions to projects that stop by themselves. */
export function watchRoutes(deps: SubscribingDeps): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(readingRoutes(deps));
    await app.register(changingRoutes(deps));
  };
}

function readingRoutes({ db, now }: SubscribingDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/watches',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Watches of the last month, newest first: their configuration, what they sent, whether they go on.',
          response: { 200: z.object({ items: z.array(watch), next_cursor: z.null() }) },
        },
      },
      async () => {
        const rows = await listSubscriptions(db.drizzle, { origin: 'watch' });
        const sent = await countSent(
          db.drizzle,
          rows.map(({ id }) => id),
        );
        const items = rows.toReversed().map((row) => toWatch(row, { now: now(), sent: sent.get(row.id) ?? 0 }));
        return { items, next_cursor: null };
      },
    );
    app.get(
      '/watches/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'One watch, for a month also when it is over.',
          params: idParam,
          response: { 200: watch },
        },
      },
      async ({ params: { id } }) => {
        const [row] = await listSubscriptions(db.drizzle, { id, origin: 'watch' });
        if (row === undefined) throw notFound(`watch ${id}`);
        const sent = await countSent(db.drizzle, [id]);
        return toWatch(row, { now: now(), sent: sent.get(id) ?? 0 });
      },
    );
  };
}

function changingRoutes(deps: SubscribingDeps): FastifyPluginAsyncZod {
  const { db, policy, now } = deps;
  return async (app) => {
    app.post(
      '/watches',
      {
        config: { role: 'operator' },
        schema: { tags, summary: 'Begins to watch.', body: watchBody, response: { 201: watch } },
      },
      async (request, reply) => {
        const { body } = request;
        const isEverything = body.projects.includes('*');
        const row = await subscribe(
          deps,
          {
            origin: 'watch',
            matchers: isEverything ? [] : [{ key: 'project', patterns: body.projects }],
            events: [...(body.only_failed ? failures : everything)],
            maxAlertsPerJob: body.max_alerts_per_job,
            expiresAt: endOf({ for: body.for }, { field: 'for', now: now() }),
            createdBy: authorOf(request, body.started_by) ?? null,
          },
          body,
        );
        return reply.code(201).send(toWatch(row, { now: now(), sent: 0 }));
      },
    );
    app.delete(
      '/watches/:id',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Stops a watch. It stays in the listing for a month.',
          params: idParam,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id } }, reply) => {
        const [known] = await listSubscriptions(db.drizzle, { id, origin: 'watch' });
        if (known === undefined) throw notFound(`watch ${id}`);
        const at = now();
        if (known.expiresAt === null || known.expiresAt.getTime() > at)
          await updateSubscription(db.drizzle, { id, origin: 'watch' }, { expiresAt: new Date(at) });
        await policy.refresh();
        return reply.code(204).send(null);
      },
    );
  };
}
