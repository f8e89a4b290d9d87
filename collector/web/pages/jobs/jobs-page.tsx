import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Job } from '../../data/api-types.ts';
import { readPages } from '../../data/queries.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Command, Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { RunStrip } from '../../parts/run-strip.tsx';
import { SearchField } from '../../parts/search-field.tsx';
import { countText, dash, durationText, numberText, percentText, visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import type { Tone } from '../../theme/tones.ts';
import classes from './jobs.module.css';

/** Every job that ran in the last 30 days, with how its runs ended. */
export function JobsPage(): ReactNode {
  const { search = '' } = useSearch({ from: '/jobs' });
  const navigate = useNavigate({ from: '/jobs' });
  const query = useInfiniteQuery(readPages('GET /jobs', { query: { search: search || undefined, limit: 50 } }));
  return (
    <Page
      title="Jobs"
      lead="Runs under one name, in the last 30 days."
      actions={
        <SearchField
          label="Search jobs by project or name"
          placeholder="Project or name"
          value={search}
          onChange={(text) => void navigate({ search: text === '' ? {} : { search: text }, replace: true })}
        />
      }
    >
      <Panel title={search === '' ? 'All jobs' : 'Jobs like that'} isFlush>
        <Loaded query={query} lines={8}>
          {(jobs) =>
            jobs.length > 0 ? (
              <DataTable
                label="Jobs"
                columns={columns}
                rows={jobs}
                rowKey={({ id }) => id}
                rowLink={({ id }) => ({ to: '/jobs/$id', params: { id } })}
                more={query}
              />
            ) : search !== '' ? (
              <Empty title="No job is like that.">
                <p>Search for less: a part of its project or of its name is enough.</p>
              </Empty>
            ) : (
              <Empty title="No job yet.">
                <p>Give runs a common name, and they are compared:</p>
                <Command text="npx runnerwatch run --project lm --job nightly -- true" />
                <p>Runners and schedulers name their jobs by themselves (tasks.identify in agent.yaml).</p>
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

/** One in a hundred is not what the eye should find first. */
function rateTone(rate: number | null): Tone {
  if (rate === null || rate < 0.02) return 'idle';
  return rate < 0.1 ? 'warning' : 'critical';
}

const columns: readonly Column<Job>[] = [
  {
    title: 'Job',
    isWide: true,
    cell: ({ name, project }) => (
      <span className={classes.name} title={visible(name)}>
        {project !== null && <small>{visible(project)} / </small>}
        {visible(name)}
      </span>
    ),
  },
  {
    title: 'Last runs',
    cell: ({ last_runs }) => (
      <div className={classes.runs}>
        <RunStrip tasks={last_runs} isCompact />
      </div>
    ),
  },
  {
    title: 'Failed',
    isNumber: true,
    cell: ({ failed, failure_rate }) => (
      <span className={classes.rate} data-tone={rateTone(failure_rate)} title={countText(failed, 'failed run')}>
        {failure_rate === null ? dash : percentText(failure_rate * 100)}
      </span>
    ),
  },
  { title: 'Runs', isNumber: true, from: 820, cell: ({ runs }) => numberText(runs) },
  { title: 'Running', isNumber: true, from: 1080, cell: ({ running }) => (running === 0 ? dash : numberText(running)) },
  { title: 'Usually takes', isNumber: true, from: 820, cell: ({ p50_ms }) => durationText(p50_ms) },
  { title: 'Last end', isNumber: true, from: 560, cell: ({ last_ended_at }) => <Ago at={last_ended_at} /> },
];
