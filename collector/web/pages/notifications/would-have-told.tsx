import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { preview } from '../../data/queries.ts';
import { Failure } from '../../parts/failure.tsx';
import type { Matchers } from '../../parts/matcher-lines.ts';
import { countText, visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import classes from './notifications.module.css';
import type { Event } from './subscription-draft.ts';

const shownMax = 5;

/** Which past events such a subscription would have told. */
export function WouldHaveTold(wanted: { matchers: Matchers; events: readonly Event[] }): ReactNode {
  const [{ matchers, events: chosen }] = useDebouncedValue(wanted, 300);
  const { data, error } = useQuery({
    ...preview('POST /subscriptions/test', { body: { matchers, events: chosen, since: '7d' } }),
    enabled: chosen.length > 0,
    retry: false,
  });
  if (error !== null) return <Failure error={error} />;
  return (
    <section className={classes.told} aria-label="What it would have told" aria-live="polite">
      <strong>
        {data === undefined
          ? 'Looking at the last seven days …'
          : `Of ${countText(data.looked_at, 'event')} in the last seven days it would have told ${data.matched}.`}
      </strong>
      <ul>
        {data?.items.slice(0, shownMax).map(({ transition_id: id, at, task, condition, node, reason }) => (
          <li key={id}>
            <span>{visible([task ?? condition, node, reason].filter(Boolean).join(' · '))}</span>
            <Ago at={at} />
          </li>
        ))}
      </ul>
    </section>
  );
}
