import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Gap, Node } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { Failure } from '../../parts/failure.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago, At } from '../../parts/time.tsx';
import classes from './node.module.css';

/** So many of the newest are shown; older ones say less about today. */
const shown = 5;

/** When its agent could not see, or could not keep what it saw: what may be missing from everything else on this page. */
export function Gaps({ node }: { node: Node }): ReactNode {
  const { data, error } = useQuery(read('GET /nodes/{id}/gaps', { path: { id: node.id }, query: { limit: shown } }));
  if (error !== null) return <Failure error={error} />;
  if (data === undefined || data.items.length === 0) return null;
  return (
    <section aria-label="What it missed">
      <h3 className={classes.missed}>What it missed</h3>
      <ul className={classes.gaps}>
        {data.items.map((gap) => (
          <li key={gap.id}>
            <strong>{visible(gap.source)}</strong>
            <p>
              {visible(gap.cause)}
              {lossText(gap)}
              <Span gap={gap} />
            </p>
            <span>
              <Ago at={gap.at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Span({ gap: { from, to } }: { gap: Gap }): ReactNode {
  if (to === null) return null;
  return (
    <>
      {', '}
      {from !== null && (
        <>
          <At at={from} /> {'to '}
        </>
      )}
      {from === null && 'until '}
      <At at={to} />
    </>
  );
}

function lossText({ lost, at_most: atMost }: Gap): string {
  if (lost !== null) return ` (${lost} lost)`;
  return atMost === null ? '' : ` (at most ${atMost} lost)`;
}
