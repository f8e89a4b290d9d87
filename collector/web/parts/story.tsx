import type { ReactNode } from 'react';
import type { Transition } from '../data/api-types.ts';
import classes from './story.module.css';
import { durationText, visible } from './texts.ts';
import { At } from './time.tsx';

/** What happened, who was asked, what was promised, and how each delivery went. */
export function Story({
  conclusion,
  transitions,
}: {
  conclusion?: string;
  transitions: readonly Transition[];
}): ReactNode {
  return (
    <div className={classes.story}>
      {conclusion !== undefined && <p className={classes.conclusion}>{sentence(conclusion)}</p>}
      {transitions.map((transition) => (
        <article key={transition.id} className={classes.transition}>
          <header>
            <strong>{transition.kind}</strong>
            <span>
              <At at={transition.at} />
            </span>
          </header>
          <p>{visible(transition.reason)}</p>
          <Decisions transition={transition} />
        </article>
      ))}
    </div>
  );
}

function Decisions({ transition: { decisions, deliveries, suppression } }: { transition: Transition }): ReactNode {
  if (decisions.length === 0)
    return <p className={classes.soft}>{suppression === null ? 'There is no subscription.' : words(suppression)}</p>;
  return (
    <ul>
      {decisions.map(({ subscription, receiver, notified, reason, detail }) => (
        <li key={`${subscription} ${receiver}`} data-tone={notified ? 'good' : 'idle'}>
          <b>{visible(receiver)}</b>
          <span>
            {notified ? 'told' : `not told: ${words(reason)}`}
            {detail !== null && ` (${visible(detail)})`}
          </span>
          {deliveries
            .filter((one) => one.subscription === subscription && one.receiver === receiver)
            .flatMap(({ attempts, id }) => attempts.map((attempt) => ({ ...attempt, id })))
            .map(({ id, attempt, outcome, http_status, error, duration_ms }) => (
              <small key={`${id} ${attempt}`} data-tone={outcome === 'delivered' ? 'good' : 'critical'}>
                {[
                  `${outcome} after ${durationText(duration_ms)}`,
                  http_status && `HTTP ${http_status}`,
                  error && visible(error),
                ]
                  .filter(Boolean)
                  .join(', ')}
              </small>
            ))}
        </li>
      ))}
    </ul>
  );
}

/** `event_not_subscribed` as people read it. */
function words(reason: string): string {
  return reason.replaceAll('_', ' ');
}

function sentence(text: string): string {
  const said = words(visible(text));
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}
