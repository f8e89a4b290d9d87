import type { ReactNode } from 'react';
import type { Node } from '../../data/api-types.ts';
import { Badge } from '../../parts/badges.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Panel } from '../../parts/page.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import type { Tone } from '../../theme/tones.ts';
import { Gaps } from './gaps.tsx';
import classes from './node.module.css';

const tones: Readonly<Record<Node['sources'][number]['state'], Tone>> = {
  seeing: 'good',
  degraded: 'info',
  blind: 'warning',
  off: 'idle',
};

/** Where its agent looks for tasks, and why it does not see there. */
export function Sources({ node }: { node: Node }): ReactNode {
  const { sources } = node;
  return (
    <Panel title="What its agent sees">
      {sources.length === 0 ? (
        <Empty title="It has not said yet." />
      ) : (
        <ul className={classes.sources}>
          {sources.map(({ name, state, reason, since }) => (
            <li key={name}>
              <strong>{visible(name)}</strong>
              <Badge tone={tones[state]}>{state}</Badge>
              <p>{visible(reason ?? '')}</p>
              <span>
                since <Ago at={since} />
              </span>
            </li>
          ))}
        </ul>
      )}
      <Gaps node={node} />
    </Panel>
  );
}
