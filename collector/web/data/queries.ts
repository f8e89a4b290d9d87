import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
  type UseMutationResult,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { type Answer, ApiFailure, type Asked, ask, type ReadRoute, type SendRoute } from './client.ts';

/*
 * How a page gets its data:
 *   useQuery(read('GET /nodes/{id}', { path: { id } }))
 *   useInfiniteQuery(readPages('GET /tasks', { query: { job } }))      data: all items of the pages read
 *   useSend('POST /incidents/{id}/ack').mutate({ path: { id }, body: { note } })
 * The live stream keeps what is in the cache up to date (live.ts); what it does not tell is read again by reread.ts.
 */

/** A client whose failures are shown and not hidden behind retries: the stream's return reads everything again. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 2 && error instanceof ApiFailure && (error.status ?? 503) >= 500,
      },
    },
  });
}

/** One answer. Keys are `[route, asked]`. */
export function read<R extends ReadRoute>(route: R, asked: Asked<R>) {
  return queryOptions({ queryKey: [route, asked] as const, queryFn: ({ signal }) => ask(route, asked, signal) });
}

/** What a change would do: a question with a body. The answer before stays until the next is here. Keys are `[route, asked]`. */
export function preview<R extends PreviewRoute>(route: R, asked: Asked<R>) {
  return queryOptions({
    queryKey: [route, asked] as const,
    queryFn: ({ signal }) => ask(route, asked, signal),
    placeholderData: keepPreviousData,
  });
}

export type PreviewRoute = 'POST /silences/preview' | 'POST /subscriptions/test' | 'POST /notifiers/{name}/preview';

export type PagedRoute = { [R in ReadRoute]: Answer<R> extends Page ? R : never }[ReadRoute];
type Item<R extends PagedRoute> = Extract<Answer<R>, Page>['items'][number];

interface Page {
  readonly items: readonly unknown[];
  readonly next_cursor: string | null;
}

/** A listing, page after page. Keys are `[route, asked, 'pages']`. */
export function readPages<R extends PagedRoute>(route: R, asked: Asked<R>) {
  return infiniteQueryOptions({
    queryKey: [route, asked, 'pages'] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => ask(route, withCursor(asked, pageParam), signal),
    getNextPageParam: (page) => (page as Page).next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => (page as Page).items as readonly Item<R>[]),
  });
}

/** A change. Afterwards everything on show is read again. */
export function useSend<R extends SendRoute>(route: R): UseMutationResult<Answer<R>, Error, Asked<R>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (asked: Asked<R>) => ask(route, asked),
    onSettled: () => client.invalidateQueries(),
  });
}

function withCursor<A>(asked: A, cursor: string | undefined): A {
  if (cursor === undefined) return asked;
  const { query } = asked as { query?: object };
  return { ...asked, query: { ...query, cursor } };
}
