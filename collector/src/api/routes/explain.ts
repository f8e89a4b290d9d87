import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { explainTask, outcomeOf, storyOf } from '../../alerts/explain.ts';
import type { Database } from '../../db/database.ts';
import { notFound } from '../errors.ts';
import {
  conclude,
  incidentExplanation,
  taskExplanation,
  toTaskExplanation,
  toTransition,
} from '../schemas/incident.ts';
import { loadIncident } from './incidents.ts';

const shownTransitions = 50;
const idParam = z.object({ id: z.string().max(512) });

/** `GET /explain/incidents/:id`, `GET /explain/tasks/:id`: why it did or did not notify. */
export function explainRoutes({ db }: { db: Database }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/explain/incidents/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['incidents'],
          summary: 'Why an incident did or did not reach people.',
          params: idParam,
          response: { 200: incidentExplanation },
        },
      },
      async ({ params: { id } }) => {
        const incident = await loadIncident(db, id);
        if (incident === null) throw notFound(`incident ${id}`);
        const outcome = await outcomeOf(db.drizzle, id);
        const newest = await storyOf(db.drizzle, id, { limit: shownTransitions });
        return {
          incident,
          transitions: newest.toReversed().map(toTransition),
          transitions_total: outcome.moments,
          conclusion: conclude(outcome),
        };
      },
    );
    app.get(
      '/explain/tasks/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['tasks'],
          summary: "Why a task's end did or did not reach people. By id, or by the scheduler's id of its newest run.",
          params: idParam,
          response: { 200: taskExplanation },
        },
      },
      async ({ params: { id } }) => {
        const explained = await explainTask(db.drizzle, id);
        if (explained === null) throw notFound(`task ${id}`);
        return toTaskExplanation(explained);
      },
    );
  };
}
