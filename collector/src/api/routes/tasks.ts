import { failureStatuses, type TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Queries } from '../../db/database.ts';
import { decodeCursor, encodeCursor } from '../../tasks/cursor.ts';
import { findRecording } from '../../tasks/recordings.ts';
import { findTask, listTasks } from '../../tasks/store.ts';
import { ApiError, badRequest, notFound } from '../errors.ts';
import { invalidCursor, page, parseMoment } from '../schemas/paging.ts';
import { recordingSchema, taskDetailSchema, taskParams, taskQuery, taskSchema, taskStatus } from '../schemas/task.ts';

export interface TaskRouteParts {
  readonly queries: Queries;
  readonly clock: Clock;
}

const tags = ['tasks'];

/** `/tasks`, `/tasks/:id` and `/tasks/:id/recording`. */
export function taskRoutes({ queries, clock }: TaskRouteParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/tasks',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Tasks: running ones first, then the newest end first.',
          querystring: taskQuery,
          response: { 200: page(taskSchema) },
        },
      },
      async ({ query: { status, since, until, cursor, limit, ...rest } }) => {
        const nowMs = clock.wallMs();
        const after = cursor === undefined ? undefined : decodeCursor(cursor);
        if (cursor !== undefined && after === undefined) throw invalidCursor();
        const filter = {
          ...rest,
          statuses: status === undefined ? undefined : parseStatuses(status),
          since: since === undefined ? undefined : parseMoment('since', since, nowMs),
          until: until === undefined ? undefined : parseMoment('until', until, nowMs),
        };
        const { items, next } = await listTasks(queries, filter, { limit, after });
        return { items: [...items], next_cursor: next === null ? null : encodeCursor(next) };
      },
    );

    app.get(
      '/tasks/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'One task, with its last log lines.',
          params: taskParams,
          response: { 200: taskDetailSchema },
        },
      },
      async ({ params }) => {
        const task = await findTask(queries, params.id);
        if (task === null) throw notFound(`task ${params.id}`);
        return task;
      },
    );

    app.get(
      '/tasks/:id/recording',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'The last minutes of a task that failed, and of its node, as the flight recorder kept them.',
          params: taskParams,
          response: { 200: recordingSchema },
        },
      },
      async ({ params }) => {
        const task = await findTask(queries, params.id);
        if (task === null) throw notFound(`task ${params.id}`);
        const recording = await findRecording(queries, task.id);
        if (recording === null) throw new ApiError('not_found', unrecordedText(params.id, task.status));
        return { task_id: task.id, ...recording };
      },
    );
  };
}

function unrecordedText(id: string, status: TaskStatus): string {
  if (status === 'running') return `task ${id} still runs; its recording is sent when it fails`;
  if (!failureStatuses.includes(status)) return `task ${id} ended as ${status}; recordings are kept of failures only`;
  return `there is no recording of task ${id}: nothing was read in its last minutes, its agent's recorder is off (recorder.window) or its agent is too old, or it has not arrived`;
}

function parseStatuses(text: string): TaskStatus[] {
  return text.split(',').map((word) => {
    const parsed = taskStatus.safeParse(word.trim());
    if (!parsed.success)
      throw badRequest('status', `expected one of ${taskStatus.options.join(', ')}; several with commas`);
    return parsed.data;
  });
}
