import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { FailureGroup, Verdict } from '../../data/api-types.ts';
import { BarList, type BarListItem } from '../../parts/bar-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { causeText, countText, numberText, percentText, visible } from '../../parts/texts.ts';
import { causeTones } from '../../theme/tones.ts';
import { failures as failureStatuses, type TasksSearch } from '../tasks/search.ts';
import { type By, readWorst, type Span, shownMax } from './groups.ts';

const nameless: Readonly<Record<By, string>> = {
  cause: 'no cause',
  project: 'no project',
  job: 'no job',
  node: 'no node',
};

/** Whose failures they are, the most first, with how many there were before; each bar leads to its tasks. */
export function WorstPanel({ title, by, span }: { title: string; by: By; span: Span }): ReactNode {
  const query = useQuery(readWorst(by, span));
  const count = query.data?.groups ?? 0;
  return (
    <Panel title={title} aside={count > shownMax[by] ? `${shownMax[by]} of ${numberText(count)}` : undefined}>
      <Loaded query={query} lines={5}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing failed.">
              <p>Failures of this time are counted here; look further back, or be glad.</p>
            </Empty>
          ) : (
            <BarList label={title} items={items.map((group) => item(group, { by, span }))} />
          )
        }
      </Loaded>
    </Panel>
  );
}

function item(group: FailureGroup, { by, span }: { by: By; span: Span }): BarListItem {
  const { key, id, ends, failures, failure_rate, failures_before: before } = group;
  const name = by === 'cause' && key !== null ? causeText(key as Verdict['cause']) : visible(key ?? nameless[by]);
  const rate = by === 'cause' ? '' : ` of ${countText(ends, 'run')}, ${percentText(100 * failure_rate)}`;
  return {
    key: `${id} ${key}`,
    name: (
      <span title={name}>
        {by === 'job' && id !== null ? (
          <Link to="/jobs/$id" params={{ id }}>
            {name}
          </Link>
        ) : by === 'node' && key !== null ? (
          <Link to="/nodes" search={{ search: key }}>
            {name}
          </Link>
        ) : (
          name
        )}
      </span>
    ),
    value: failures,
    beside: `${numberText(before)} before`,
    tone: by === 'cause' && key !== null ? causeTones[key as Verdict['cause']] : 'critical',
    words: `${name}: ${countText(failures, 'failure')}${rate}`,
    link: key === null ? undefined : { to: '/tasks', search: tasksOf(by, key, span) },
  };
}

function tasksOf(by: By, key: string, since: Span): TasksSearch {
  return { [by]: key, since, status: failureStatuses };
}
