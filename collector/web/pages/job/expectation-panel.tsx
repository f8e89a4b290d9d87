import { Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { Expectation } from '../../data/api-types.ts';
import { ApiFailure } from '../../data/client.ts';
import { useSend } from '../../data/queries.ts';
import { Allowed, may, useMe } from '../../parts/allowed.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Panel } from '../../parts/page.tsx';
import { At } from '../../parts/time.tsx';
import classes from './job.module.css';
import type { JobDetail } from './job-page.tsx';

const fields = [
  { name: 'every', label: 'Starts every', placeholder: '24h' },
  { name: 'schedule', label: 'Or at the times of', placeholder: '0 3 * * mon-fri' },
  { name: 'time_zone', label: 'By the clock of', placeholder: 'Europe/Berlin' },
  { name: 'grace', label: 'May be late by', placeholder: '5m' },
  { name: 'max_run', label: 'Takes at most', placeholder: '2h' },
  { name: 'min_run', label: 'Takes at least', placeholder: '1m' },
  { name: 'max_concurrent', label: 'At once at most', placeholder: '1' },
] as const;

type Wanted = Record<(typeof fields)[number]['name'], string>;

/** What is expected of its runs: whoever does not come is told of, too. */
export function ExpectationPanel({ job: { id, expectation } }: { job: JobDetail }): ReactNode {
  return (
    <Panel
      title="Expected of it"
      aside={
        expectation !== null && (
          <>
            since <At at={expectation.set_at} />
            {expectation.next_at !== null && (
              <>
                , next due <At at={expectation.next_at} />
              </>
            )}
          </>
        )
      }
    >
      {expectation === null && (
        <p className={classes.hint}>
          Nothing yet. A job that does not start sends no failure: say when it must, and be told when it does not come.
        </p>
      )}
      <ExpectationForm key={expectation?.set_at} jobId={id} expectation={expectation} />
    </Panel>
  );
}

function ExpectationForm({ jobId, expectation }: { jobId: string; expectation: Expectation | null }): ReactNode {
  const [wanted, setWanted] = useState(() => wantedOf(expectation));
  const save = useSend('PUT /jobs/{id}/expectation');
  const remove = useSend('DELETE /jobs/{id}/expectation');
  const isReadOnly = !may(useMe(), 'PUT /jobs/{id}/expectation');
  const path = { id: jobId };
  const error = save.error ?? remove.error;
  const refused = error instanceof ApiFailure ? error.field : null;
  const isRefused = fields.some(({ name }) => name === refused);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ path, body: bodyOf(wanted) });
  };
  return (
    <form className={classes.expectation} onSubmit={submit} aria-label="Expected of it">
      {fields.map(({ name, label, placeholder }) => (
        <TextInput
          key={name}
          size="xs"
          label={label}
          placeholder={placeholder}
          value={wanted[name]}
          readOnly={isReadOnly}
          error={refused === name && error?.message}
          inputMode={name === 'max_concurrent' ? 'numeric' : 'text'}
          onChange={(event) => setWanted({ ...wanted, [name]: event.currentTarget.value })}
        />
      ))}
      <Allowed to="PUT /jobs/{id}/expectation">
        <div className={classes.buttons}>
          <Button type="submit" size="xs" loading={save.isPending}>
            Expect this
          </Button>
          {expectation !== null && (
            <Button size="xs" variant="default" loading={remove.isPending} onClick={() => remove.mutate({ path })}>
              Expect nothing
            </Button>
          )}
        </div>
      </Allowed>
      {error !== null && !isRefused && <Failure error={error} />}
    </form>
  );
}

function wantedOf(expectation: Expectation | null): Wanted {
  const known = { time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, ...withoutNulls(expectation ?? {}) };
  return Object.fromEntries(fields.map(({ name }) => [name, String(known[name] ?? '')])) as Wanted;
}

function withoutNulls(expectation: Partial<Expectation>): Partial<Expectation> {
  return Object.fromEntries(Object.entries(expectation).filter(([, value]) => value !== null));
}

/** What is empty is not expected; an empty grace is the API's own. */
function bodyOf({ every, schedule, time_zone, grace, max_run, min_run, max_concurrent }: Wanted) {
  return {
    every: every.trim() || null,
    schedule: schedule.trim() || null,
    ...(schedule.trim() === '' ? {} : { time_zone: time_zone.trim() }),
    max_run: max_run.trim() || null,
    min_run: min_run.trim() || null,
    max_concurrent: max_concurrent.trim() === '' ? null : Number(max_concurrent),
    ...(grace.trim() === '' ? {} : { grace: grace.trim() }),
  };
}
