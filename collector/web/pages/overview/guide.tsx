import type { ReactNode } from 'react';
import { Command } from '../../parts/empty.tsx';
import { Panel } from '../../parts/page.tsx';
import classes from './overview.module.css';

/** What to try first, while this machine is the only one. */
export function Guide(): ReactNode {
  return (
    <Panel title="Three steps">
      <ol className={classes.steps}>
        <li>
          <strong>See a failure explained</strong>
          <Command text="npx runnerwatch run -- sh -c 'exit 3'" />
        </li>
        <li>
          <strong>Be told of the next one</strong>
          <Command text="npx runnerwatch subscribe --help" />
        </li>
        <li>
          <strong>Watch another machine</strong>
          <Command text="npx runnerwatch init service --runner" />
        </li>
      </ol>
    </Panel>
  );
}
