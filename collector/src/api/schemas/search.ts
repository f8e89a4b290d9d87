import * as z from 'zod';

export const searchQuery = z.object({
  q: z.string().trim().min(1).max(200).describe('A part of a name or title, or an id.'),
  limit: z.coerce.number().int().min(1).max(20).default(6).describe('Of each kind.'),
});

export const found = z.object({
  kind: z.enum(['node', 'incident', 'job', 'task']),
  id: z.string(),
  name: z.string().describe('Of a job `project/name`.'),
  status: z.string().nullable().describe("A node's, incident's or task's."),
  node: z.string().nullable().describe('Where a task ran.'),
});
