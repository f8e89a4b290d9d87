import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Delivery, Task, Transition } from '../data/api-types.ts';
import { type HasMore, More } from './more.tsx';
import classes from './story.module.css';
import { durationText, numberText, statusText, visible, words } from './texts.ts';
import { At } from './time.tsx';

/** What people did in between. */
export interface Moment {
  readonly at: string;
  readonly title: string;
  readonly text: string;
}

export interface StoryProps {
  readonly conclusion?: string;
  /** Oldest first. */
  readonly transitions: readonly Transition[];
  readonly moments?: readonly Moment[];
  /** Where the story is of more than one task: each leads to its own. */
  readonly areTasksNamed?: boolean;
  /** What was before the first. */
  readonly earlier?: HasMore;
  /** How much of it there is. */
  readonly earlierCount?: number;
}

/** What happened, who was asked, what was promised, and how each delivery went. */
export function Story(props: StoryProps): ReactNode {
  const { conclusion, transitions, moments = [], areTasksNamed = false, earlier, earlierCount = 0 } = props;
  const told = [
    ...transitions.map((transition) => ({
      at: transition.at,
      key: transition.id,
      title: words(transition.kind),
      text: reasonText(transition.reason),
      link: areTasksNamed && transition.task_id !== null && (
        <Link to="/tasks/$id" params={{ id: transition.task_id }}>
          its task
        </Link>
      ),
      below: <Decisions transition={transition} />,
    })),
    ...moments.map((moment) => ({ ...moment, key: `${moment.title} ${moment.at}`, link: null, below: null })),
  ].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return (
    <div className={classes.story}>
      {conclusion !== undefined && <p className={classes.conclusion}>{sentence(conclusion)}</p>}
      <More more={earlier}>Show what was before{earlierCount > 0 && ` (${numberText(earlierCount)})`}</More>
      {told.map(({ key, at, title, text, link, below }) => (
        <article key={key} className={classes.transition}>
          <header>
            <strong>{title}</strong>
            <span>
              {link} <At at={at} />
            </span>
          </header>
          {text !== '' && <p>{visible(text)}</p>}
          {below}
        </article>
      ))}
    </div>
  );
}

/** The end of a task has its status for a reason. */
function reasonText(reason: string): string {
  return statusText(reason as Task['status']);
}

/** Of these people are told only where they are told at all. */
const quietKinds: readonly string[] = ['acknowledged', 'resolved'];

function Decisions({
  transition: { kind, decisions, deliveries, suppression },
}: {
  transition: Transition;
}): ReactNode {
  if (decisions.length === 0 && suppression === null && quietKinds.includes(kind)) return null;
  if (decisions.length === 0)
    return <p className={classes.soft}>{suppression === null ? 'There is no subscription.' : words(suppression)}</p>;
  return (
    <ul>
      {decisions.map((decision) => (
        <Told
          key={`${decision.subscription} ${decision.receiver}`}
          decision={decision}
          deliveries={deliveries.filter(
            ({ subscription, receiver }) => subscription === decision.subscription && receiver === decision.receiver,
          )}
        />
      ))}
    </ul>
  );
}

const outcomes: Readonly<Record<Delivery['state'], string>> = {
  delivered: 'told',
  pending: 'is being told',
  dead: 'could not be told',
  collapsed: 'told with others, in one message',
};

function Told({
  decision: { receiver, notified, reason, detail },
  deliveries,
}: {
  decision: Transition['decisions'][number];
  deliveries: readonly Delivery[];
}): ReactNode {
  const state = deliveries.at(-1)?.state ?? 'delivered';
  return (
    <li data-tone={!notified ? 'idle' : state === 'dead' ? 'critical' : 'good'}>
      <b>{visible(receiver)}</b>
      <span>
        {notified ? outcomes[state] : `not told: ${words(reason)}`}
        {detail !== null && ` (${visible(detail)})`}
      </span>
      {deliveries
        .flatMap(({ attempts, id }) => attempts.map((attempt) => ({ ...attempt, id })))
        .map(({ id, attempt, outcome, http_status, error, duration_ms }) => (
          <small key={`${id} ${attempt}`} data-tone={outcome === 'delivered' ? 'good' : 'critical'}>
            {[
              `${outcome} after ${durationText(duration_ms)}`,
              http_status !== null && !error?.includes(`${http_status}`) && `HTTP ${http_status}`,
              error && visible(error),
            ]
              .filter(Boolean)
              .join(', ')}
          </small>
        ))}
    </li>
  );
}

function sentence(text: string): string {
  const said = words(visible(text));
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}
