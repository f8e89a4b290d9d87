import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { newId } from '../../outbox/new-id.ts';
import type { PeopleRegister } from '../../people/register.ts';
import { nameOf } from '../../people/roles.ts';
import { askerOf } from '../auth.ts';
import { conflict, notFound } from '../errors.ts';
import { madePerson, me, person, personBody, personChange, showPerson } from '../schemas/person.ts';
import { toMs } from '../schemas/routing.ts';

export interface PeopleRouteDeps {
  readonly people: PeopleRegister;
  readonly now: () => number;
}

const tags = ['people'];
const params = z.object({ id: z.string().max(200) });

/** `/me`, and `/people`: who has a token, and what it may do. */
export function peopleRoutes(deps: PeopleRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(meRoutes);
    await app.register(tokenRoutes(deps));
    await app.register(changingRoutes(deps));
  };
}

const meRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/me',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'Who you are here, and your role.', response: { 200: me } },
    },
    async (request) => {
      const asker = askerOf(request);
      return { name: asker.kind === 'person' ? asker.name : null, role: asker.role, kind: asker.kind };
    },
  );
};

function tokenRoutes({ people, now }: PeopleRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/people',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Those who have a token of their own, by name; the tokens themselves are kept nowhere.',
          response: { 200: z.object({ items: z.array(person), next_cursor: z.null() }) },
        },
      },
      async () => ({ items: (await people.list()).map((row) => showPerson(row, now())), next_cursor: null }),
    );
    app.post(
      '/people',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Makes a token for someone. The answer is the only place where it is shown.',
          body: personBody,
          response: { 201: madePerson },
        },
      },
      async (request, reply) => {
        const { name, role, expires_in: written } = request.body;
        request.subject = name;
        const lifeMs = toMs(written);
        const made = await people.add({
          id: newId(now()),
          name,
          role,
          createdBy: nameOf(askerOf(request)),
          expiresAt: lifeMs === 0 ? null : new Date(now() + lifeMs),
        });
        if (made === null) throw conflict(`${name} has a token already; remove it first to make another`);
        return reply.code(201).send({ ...showPerson(made.row, now()), token: made.token });
      },
    );
  };
}

function changingRoutes({ people, now }: PeopleRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.patch(
      '/people/:id',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Gives someone another role, from the next request on. Live streams end, and open again.',
          params,
          body: personChange,
          response: { 200: person },
        },
      },
      async (request) => {
        const { id } = request.params;
        const row = await people.setRole(id, request.body.role);
        if (row === null) throw notFound(`person ${id}`);
        request.subject = `${row.name}: ${row.role}`;
        return showPerson(row, now());
      },
    );
    app.delete(
      '/people/:id',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Takes the token away. Live streams opened with it end.',
          params,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const row = await people.remove(request.params.id);
        if (row === null) throw notFound(`person ${request.params.id}`);
        request.subject = row.name;
        return reply.code(204).send(null);
      },
    );
  };
}
