import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './more.module.css';

/** What is behind, while there is something: `useInfiniteQuery`'s own result fits. */
export interface HasMore {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** Asks for the next page of a listing; nothing where that was the last one. */
export function More({ more, children }: { more: HasMore | undefined; children: ReactNode }): ReactNode {
  if (more?.hasNextPage !== true) return null;
  return (
    <div className={classes.more}>
      <Button variant="default" size="xs" loading={more.isFetchingNextPage} onClick={() => void more.fetchNextPage()}>
        {children}
      </Button>
    </div>
  );
}
