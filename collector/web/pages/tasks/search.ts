import type { Routes } from '../../data/api-types.ts';

type Query = NonNullable<Routes['GET /tasks']['query']>;

/** What the address of the list of tasks says: filters of the API. */
export type TasksSearch = Partial<Record<(typeof filterNames)[number], string>>;

export const filterNames = ['status', 'node', 'job', 'project', 'owner', 'cause', 'since', 'until'] as const;

/** Every status that is a failure. */
export const failures = 'failed,killed,killed_oom,timed_out,lost,unknown';

export function tasksSearch(asked: Record<string, unknown>): TasksSearch {
  const given = filterNames.flatMap((name) => {
    const value = asked[name];
    return (typeof value === 'string' || typeof value === 'number') && value !== '' ? [[name, String(value)]] : [];
  });
  return Object.fromEntries(given) as TasksSearch;
}

/** The cause is judged by the API, which says what it expects. */
export function queryOf(search: TasksSearch): Query {
  return { ...search, cause: search.cause as Query['cause'], limit: 50 };
}
