import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Node, Silence } from '../../data/api-types.ts';
import { read, useSend } from '../../data/queries.ts';
import { Failure } from '../../parts/failure.tsx';
import { MatcherTags } from '../../parts/matchers.tsx';
import { visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './node.module.css';

/** Silences that name this node: who said so, why, until when. Nothing without any. */
export function Silences({ node: { name, id } }: { node: Node }): ReactNode {
  const { data } = useQuery(read('GET /silences', {}));
  const here = (data?.items ?? []).filter(({ matchers }) =>
    matchers['node']?.some((pattern) => pattern === name || pattern === id),
  );
  return here.map((silence) => <SilenceLine key={silence.id} silence={silence} />);
}

function SilenceLine({ silence }: { silence: Silence }): ReactNode {
  const end = useSend('DELETE /silences/{id}');
  const { id, origin, state, author, reason, matchers, ends_at, until } = silence;
  const { node: _, ...others } = matchers;
  return (
    <section className={classes.notice} data-tone="info" aria-label={origin === 'drain' ? 'Drained' : 'Silenced'}>
      <div>
        <strong>
          {origin === 'drain' ? 'Drained: nobody is told of it' : state === 'active' ? 'Silenced' : 'Silenced later'}
        </strong>{' '}
        {Object.keys(others).length > 0 && <MatcherTags matchers={others} />}
        {author !== 'unknown' && ` by ${visible(author)}`}
        {(until ?? ends_at) !== null && (
          <>
            {' until '}
            <At at={until ?? ends_at} />
          </>
        )}
        <p>{visible(reason)}</p>
      </div>
      {origin === 'person' && (
        <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate({ path: { id } })}>
          End it
        </Button>
      )}
      {end.error !== null && <Failure error={end.error} />}
    </section>
  );
}
