import { useState } from 'react';
import type { DataTableProps } from './data-table.tsx';

/** Rows that are all here already, drawn so many at a time: what a table takes. */
export function useReveal<Row>(
  rows: readonly Row[],
  atOnce = 100,
): Required<Pick<DataTableProps<Row, never>, 'rows' | 'more'>> {
  const [count, setCount] = useState(atOnce);
  return {
    rows: rows.slice(0, count),
    more: {
      hasNextPage: rows.length > count,
      isFetchingNextPage: false,
      fetchNextPage: () => setCount(count + atOnce),
    },
  };
}
