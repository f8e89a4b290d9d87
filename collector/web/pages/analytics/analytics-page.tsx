import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Columns, Page } from '../../parts/page.tsx';
import { countText, numberText, percentText } from '../../parts/texts.ts';
import { readWorst, type Span } from './groups.ts';
import { type AnalyticsSearch, spans } from './search.ts';
import { WhenFailed } from './when-failed.tsx';
import { WorstPanel } from './worst-panel.tsx';

const words: Readonly<Record<Span, string>> = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' };

/** Where failures come from, against the time before. */
export function AnalyticsPage(): ReactNode {
  const { since = '7d' } = useSearch({ from: '/analytics' });
  const navigate = useNavigate({ from: '/analytics' });
  return (
    <Page
      title="Analytics"
      lead={<Lead span={since} />}
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Look back over"
          data={spans.map((value) => ({ value, label: words[value] }))}
          value={since}
          onChange={(value) => void navigate({ search: { since: value } as AnalyticsSearch, replace: true })}
        />
      }
    >
      <WhenFailed span={since} />
      <Columns>
        <WorstPanel title="By cause" by="cause" span={since} />
        <WorstPanel title="By project" by="project" span={since} />
      </Columns>
      <Columns>
        <WorstPanel title="Worst jobs" by="job" span={since} />
        <WorstPanel title="Worst nodes" by="node" span={since} />
      </Columns>
    </Page>
  );
}

function Lead({ span }: { span: Span }): ReactNode {
  const { data } = useQuery(readWorst('cause', span));
  if (data === undefined) return ' ';
  const failed = data.items.reduce((total, { failures }) => total + failures, 0);
  const ends = data.items[0]?.ends ?? 0;
  const share = ends === 0 ? '' : ` of ${countText(ends, 'run')}, ${percentText((100 * failed) / ends)}`;
  return (
    <>
      {countText(failed, 'failure')}
      {share} in the last {words[span]}; {numberText(data.failures_before)} in the {words[span]} before.
    </>
  );
}
