import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Database } from '../../db/database.ts';
import { findNotification, listNotifications, reviveDead } from '../../outbox/store.ts';
import { conflict, notFound } from '../errors.ts';
import { decodeCursor, pageOf, pageQuery } from '../schemas/cursor.ts';
import { delivery, deliveryState, toDelivery } from '../schemas/delivery.ts';

export interface DeliveryRouteDeps {
  readonly db: Database;
  readonly now: () => number;
  /** Something is due again. */
  readonly onPromised: () => void;
}

/** `GET /deliveries`, `POST /deliveries/:id/retry`. */
export function deliveryRoutes({ db, now, onPromised }: DeliveryRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/deliveries',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['notifications'],
          summary: 'Notifications with every attempt to deliver them, newest first. `state=dead` are those given up.',
          querystring: z.object({ ...pageQuery, state: deliveryState.optional() }),
          response: { 200: z.object({ items: z.array(delivery), next_cursor: z.string().nullable() }) },
        },
      },
      async ({ query: { limit, cursor, state } }) => {
        const before = decodeCursor(cursor);
        const rows = await listNotifications(db.drizzle, {
          state,
          limit: limit + 1,
          ...(before === undefined ? {} : { before: { createdAt: before.at, id: before.id } }),
        });
        return pageOf(rows, limit, { position: ({ createdAt, id }) => ({ at: createdAt, id }), item: toDelivery });
      },
    );
    app.post(
      '/deliveries/:id/retry',
      {
        config: { role: 'operator' },
        schema: {
          tags: ['notifications'],
          summary: 'Sends a given-up notification again, under its old id.',
          params: z.object({ id: z.string().max(200) }),
          response: { 200: delivery },
        },
      },
      async ({ params: { id } }) => {
        const revived = await reviveDead(db.drizzle, { id, now: new Date(now()) });
        if (revived === false) throw conflict('only a notification that was given up (state dead) can be sent again');
        const record = revived === null ? null : await findNotification(db.drizzle, id);
        if (record === null) throw notFound(`delivery ${id}`);
        onPromised();
        return toDelivery(record);
      },
    );
  };
}
