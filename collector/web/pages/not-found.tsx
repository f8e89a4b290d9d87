import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty } from '../parts/empty.tsx';
import { Page } from '../parts/page.tsx';

export function NotFound(): ReactNode {
  return (
    <Page title="Nothing here">
      <Empty title="This address leads to no page.">
        <p>
          The <Link to="/">overview</Link> shows what there is; Ctrl K searches it.
        </p>
      </Empty>
    </Page>
  );
}
