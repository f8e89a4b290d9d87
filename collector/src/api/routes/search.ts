import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Queries } from '../../db/database.ts';
import { searchIncidents } from '../../incidents/search.ts';
import { titleOfIncident } from '../../incidents/store.ts';
import { listNodes } from '../../nodes/store.ts';
import { searchJobs, searchTasks } from '../../tasks/search.ts';
import { found, searchQuery } from '../schemas/search.ts';

/** `GET /search`: for people who know a part of a name. */
export function searchRoutes({ queries }: { queries: Queries }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/search',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['search'],
          summary:
            'Nodes, incidents, jobs and tasks by a part of their name. Of tasks and jobs the newest 20,000 ends.',
          querystring: searchQuery,
          response: { 200: z.object({ items: z.array(found) }) },
        },
      },
      async ({ query: { q, limit } }) => {
        const nodes = await listNodes(queries, { search: q }, { limit });
        const incidents = await searchIncidents(queries, q, limit);
        const jobs = await searchJobs(queries, q, limit);
        const tasks = await searchTasks(queries, q, limit);
        const nowhere = { node: null };
        return {
          items: [
            ...nodes.map(({ id, name, status }) => ({ kind: 'node' as const, id, name, status, ...nowhere })),
            ...incidents.map((row) => ({
              kind: 'incident' as const,
              id: row.id,
              name: titleOfIncident(row),
              status: row.status,
              ...nowhere,
            })),
            ...jobs.map(({ id, project, name }) => ({
              kind: 'job' as const,
              id,
              name: project === null ? name : `${project}/${name}`,
              status: null,
              ...nowhere,
            })),
            ...tasks.map((task) => ({ kind: 'task' as const, ...task })),
          ],
        };
      },
    );
  };
}
