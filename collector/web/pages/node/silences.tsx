import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Node, Silence } from '../../data/api-types.ts';
import { read, useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Failure } from '../../parts/failure.tsx';
import { MatcherTags } from '../../parts/matchers.tsx';
import { visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './node.module.css';

/** Silences that concern this node: who said so, why, until when. Nothing without any. */
export function Silences({ node }: { node: Node }): ReactNode {
  const { data } = useQuery(read('GET /silences', { query: { node: node.id } }));
  return data?.items.map((silence) => <SilenceLine key={silence.id} silence={silence} node={node} />);
}

function SilenceLine({ silence, node }: { silence: Silence; node: Node }): ReactNode {
  const end = useSend('DELETE /silences/{id}');
  const { id, origin, state, author, reason, matchers, ends_at, until } = silence;
  const { node: names, ...others } = matchers;
  const isOfThisAlone = names?.every((pattern) => pattern === node.name || pattern === node.id) ?? false;
  const besides = isOfThisAlone ? others : matchers;
  return (
    <section className={classes.notice} data-tone="info" aria-label={origin === 'drain' ? 'Drained' : 'Silenced'}>
      <div>
        <strong>
          {origin === 'drain' ? 'Drained: nobody is told of it' : state === 'active' ? 'Silenced' : 'Silenced later'}
        </strong>{' '}
        {Object.keys(besides).length > 0 && <MatcherTags matchers={besides} />}
        {author !== 'unknown' && ` by ${visible(author)}`}
        {(until ?? ends_at) !== null && (
          <>
            {' until '}
            <At at={until ?? ends_at} />
          </>
        )}
        <p>{visible(reason)}</p>
      </div>
      {isOfThisAlone && origin === 'person' && (
        <Allowed to="DELETE /silences/{id}">
          {' '}
          <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate({ path: { id } })}>
            End it
          </Button>
        </Allowed>
      )}
      {!isOfThisAlone && <Link to="/silences">All silences</Link>}
      {end.error !== null && <Failure error={end.error} />}
    </section>
  );
}
