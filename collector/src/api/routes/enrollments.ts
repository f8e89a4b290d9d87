import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Queries } from '../../db/database.ts';
import type { AgentRegister } from '../../enrolment/register.ts';
import { type AgentOfNode, findEnrollment, listAgentsOfNodes, listEnrollments } from '../../enrolment/store.ts';
import { newId } from '../../outbox/new-id.ts';
import { nameOf } from '../../people/roles.ts';
import { askerOf } from '../auth.ts';
import { badRequest, notFound } from '../errors.ts';
import { agent, enrollment, enrollmentBody, madeEnrollment, showAgent, showEnrollment } from '../schemas/enrollment.ts';
import { toMs } from '../schemas/routing.ts';

export interface EnrollmentRouteDeps {
  readonly queries: Queries;
  readonly register: AgentRegister;
  /** The nodes whose agents are connected. */
  readonly connected: () => readonly string[];
  /** Its session is over, if it has one. */
  readonly onRevoked: (nodeId: string) => void;
  readonly now: () => number;
}

const tags = ['agents'];
const id = z.object({ id: z.string().max(200) });

/** `/enrollments`: tokens that admit agents. `/agents`: those that came. */
export function enrollmentRoutes(deps: EnrollmentRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(tokenRoutes(deps));
    await app.register(agentRoutes(deps));
  };
}

function tokenRoutes({ queries, register, now }: EnrollmentRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/enrollments',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Join tokens, newest first; the tokens themselves are kept nowhere.',
          response: { 200: z.object({ items: z.array(enrollment), next_cursor: z.null() }) },
        },
      },
      async () => {
        const rows = await listEnrollments(queries);
        return { items: rows.map((row) => showEnrollment(row, now())), next_cursor: null };
      },
    );
    app.get(
      '/enrollments/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'One join token, also one that admits nobody any more.',
          params: id,
          response: { 200: enrollment },
        },
      },
      async ({ params }) => {
        const row = await findEnrollment(queries, params.id);
        if (row === null) throw notFound(`enrollment ${params.id}`);
        return showEnrollment(row, now());
      },
    );
    app.post(
      '/enrollments',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Makes a token that admits new agents. The answer is the only place where it is shown.',
          body: enrollmentBody,
          response: { 201: madeEnrollment },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const lifeMs = toMs(body.expires_in);
        if (lifeMs === 0) throw badRequest('expires_in', 'expected how long it can be used, such as 24h');
        const { row, token } = await register.enroll({
          id: newId(now()),
          note: body.note ?? null,
          labels: body.labels,
          usesMax: body.uses,
          createdBy: nameOf(askerOf(request)),
          expiresAt: new Date(now() + lifeMs),
        });
        return reply.code(201).send({ ...showEnrollment(row, now()), token });
      },
    );
    app.delete(
      '/enrollments/:id',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Revokes a join token. The agents that it admitted stay.',
          params: id,
          response: { 204: z.null() },
        },
      },
      async ({ params }, reply) => {
        if (!(await register.revokeToken(params.id))) throw notFound(`enrollment ${params.id}, or it is revoked`);
        return reply.code(204).send(null);
      },
    );
  };
}

function agentRoutes({ queries, register, connected, onRevoked }: EnrollmentRouteDeps): FastifyPluginAsyncZod {
  const find = async (nodeId: string): Promise<AgentOfNode> => {
    const found = (await listAgentsOfNodes(queries)).find((one) => one.nodeId === nodeId);
    if (found === undefined) throw notFound(`agent ${nodeId}`);
    return found;
  };
  return async (app) => {
    app.get(
      '/agents',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary:
            'The agents of every node, by name: version, how they came in, whether they are connected or revoked.',
          response: { 200: z.object({ items: z.array(agent), next_cursor: z.null() }) },
        },
      },
      async () => {
        const here = new Set(connected());
        const items = (await listAgentsOfNodes(queries)).map((row) => showAgent(row, here));
        return { items, next_cursor: null };
      },
    );
    for (const [verb, summary] of [
      ['revoke', 'Ends its session and lets it in no more. Its node and history stay; what it cannot send, it keeps.'],
      ['approve', 'Lets a revoked agent in again.'],
    ] as const) {
      app.post(
        `/agents/:id/${verb}`,
        { config: { role: 'admin' }, schema: { tags, summary, params: id, response: { 200: agent } } },
        async ({ params }) => {
          await find(params.id);
          if (verb === 'approve') await register.approveAgent(params.id);
          else {
            await register.revokeAgent(params.id);
            onRevoked(params.id);
          }
          return showAgent(await find(params.id), new Set(connected()));
        },
      );
    }
  };
}
