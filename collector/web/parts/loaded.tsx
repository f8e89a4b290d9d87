import { Skeleton } from '@mantine/core';
import type { UseInfiniteQueryResult, UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure } from './failure.tsx';

export interface LoadedProps<T> {
  readonly query: UseQueryResult<T> | UseInfiniteQueryResult<T>;
  /** How many lines high the place is kept while it loads. */
  readonly lines?: number;
  readonly children: (data: T) => ReactNode;
}

/** A query's data, or its failure with the next step, or grey lines of about its size. */
export function Loaded<T>({ query, lines = 3, children }: LoadedProps<T>): ReactNode {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div aria-busy="true" aria-label="loading" style={{ padding: 12 }}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={14} my={10} width={`${92 - ((line * 17) % 40)}%`} />
      ))}
    </div>
  );
}
