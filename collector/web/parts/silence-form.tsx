import { Chip, SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../data/api-types.ts';
import { preview, useSend } from '../data/queries.ts';
import { severityTones } from '../theme/tones.ts';
import { Badge } from './badges.tsx';
import { Failure } from './failure.tsx';
import { DurationField, FieldRow, Form, PersonField, ReasonField, usePerson } from './form.tsx';
import { linesOf, type MatcherLine, type Matchers, matchersOf } from './matcher-lines.ts';
import { MatcherField } from './matchers.tsx';
import classes from './silence-form.module.css';
import { countText, visible } from './texts.ts';

type Body = Routes['POST /silences']['body'];
type Day = NonNullable<NonNullable<Body['recurrence']>['days']>[number];

interface Times {
  readonly kind: 'now' | 'later' | 'weekly';
  readonly duration: string;
  /** As the field has it: local, without a zone. */
  readonly startsAt: string;
  readonly from: string;
  readonly to: string;
  readonly days: readonly Day[];
}

const kinds = [
  { value: 'now', label: 'From now on' },
  { value: 'later', label: 'Once, later' },
  { value: 'weekly', label: 'Every week' },
];
const days: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const shownMax = 5;

/** Silences what fits, after showing what that would hide. `matchers`: what it begins with. */
export function SilenceForm({ matchers: first, onDone }: { matchers: Matchers; onDone: () => void }): ReactNode {
  const [lines, setLines] = useState<readonly MatcherLine[]>(() => {
    const given = linesOf(first);
    return given.length > 0 ? given : [{ key: 'node', patterns: '' }];
  });
  const [times, setTimes] = useState<Times>({
    kind: 'now',
    duration: '2h',
    startsAt: '',
    from: '22:00',
    to: '06:00',
    days: [],
  });
  const [reason, setReason] = useState('');
  const [author, setAuthor] = usePerson();
  const send = useSend('POST /silences');
  const matchers = matchersOf(lines);
  const isComplete =
    Object.keys(matchers).length > 0 &&
    reason.trim() !== '' &&
    author.trim() !== '' &&
    (times.kind !== 'later' || times.startsAt !== '');
  return (
    <Form
      action="Silence"
      isSending={send.isPending}
      error={send.error}
      isComplete={isComplete}
      send={() => send.mutate({ body: { matchers, reason, author, ...written(times) } }, { onSuccess: onDone })}
    >
      <MatcherField lines={lines} onChange={setLines} />
      <Hides matchers={matchers} />
      <TimesField times={times} change={(changed) => setTimes({ ...times, ...changed })} />
      <FieldRow>
        <ReasonField value={reason} onChange={setReason} />
        <PersonField value={author} onChange={setAuthor} />
      </FieldRow>
    </Form>
  );
}

/** What fires now and would be silent. */
function Hides({ matchers: wanted }: { matchers: Matchers }): ReactNode {
  const [matchers] = useDebouncedValue(wanted, 300);
  const isAsked = Object.keys(matchers).length > 0;
  const { data, error } = useQuery({
    ...preview('POST /silences/preview', { body: { matchers } }),
    enabled: isAsked,
    retry: false,
  });
  if (isAsked && error !== null) return <Failure error={error} />;
  return (
    <section className={classes.hides} aria-label="What it hides" aria-live="polite">
      <strong>
        {!isAsked || data === undefined
          ? 'Say what it is about, and see here what that hides.'
          : data.count === 0
            ? 'Hides nothing that fires now, and whatever fits later.'
            : `Hides ${countText(data.count, 'alert')} that ${data.count === 1 ? 'fires' : 'fire'} now, and whatever fits later:`}
      </strong>
      {isAsked && (
        <ul>
          {data?.items.slice(0, shownMax).map(({ alert_id: id, condition, node, severity, reason }) => (
            <li key={id}>
              <Badge tone={severityTones[severity as keyof typeof severityTones]}>{condition}</Badge>
              <span title={visible(reason)}>{visible([node, reason].filter(Boolean).join(': '))}</span>
            </li>
          ))}
          {(data?.count ?? 0) > shownMax && <li>and {(data?.count ?? 0) - shownMax} more</li>}
        </ul>
      )}
    </section>
  );
}

function TimesField({ times, change }: { times: Times; change: (changed: Partial<Times>) => void }): ReactNode {
  return (
    <>
      <SegmentedControl
        data={kinds}
        value={times.kind}
        onChange={(kind) => change({ kind: kind as Times['kind'] })}
        aria-label="When"
        size="xs"
        fullWidth
      />
      {times.kind === 'weekly' ? (
        <WeeklyFields times={times} change={change} />
      ) : (
        <FieldRow>
          {times.kind === 'later' && (
            <TextInput
              type="datetime-local"
              label="From"
              description={`Time of ${zone}.`}
              value={times.startsAt}
              onChange={(event) => change({ startsAt: event.currentTarget.value })}
            />
          )}
          <DurationField
            label="For"
            description="Such as 45m, 8h, 7d."
            value={times.duration}
            onChange={(duration) => change({ duration })}
          />
        </FieldRow>
      )}
    </>
  );
}

function WeeklyFields({ times, change }: { times: Times; change: (changed: Partial<Times>) => void }): ReactNode {
  return (
    <>
      <Chip.Group multiple value={[...times.days]} onChange={(chosen) => change({ days: chosen as Day[] })}>
        <div className={classes.days} role="group" aria-label="Days it begins on; none: every day">
          {days.map((day) => (
            <Chip key={day} value={day} size="xs">
              {day}
            </Chip>
          ))}
        </div>
      </Chip.Group>
      <FieldRow>
        <TextInput
          type="time"
          label="From"
          description={`Time of ${zone}.`}
          value={times.from}
          onChange={(event) => change({ from: event.currentTarget.value })}
        />
        <TextInput
          type="time"
          label="To"
          description={times.to <= times.from ? 'On the next day.' : 'On the same day.'}
          value={times.to}
          onChange={(event) => change({ to: event.currentTarget.value })}
        />
      </FieldRow>
    </>
  );
}

function written({ kind, duration, startsAt, from, to, days: chosen }: Times): Partial<Body> {
  switch (kind) {
    case 'now':
      return { for: duration };
    case 'later':
      return { starts_at: new Date(startsAt).toISOString(), for: duration };
    case 'weekly':
      return { recurrence: { time_zone: zone, from, to, ...(chosen.length === 0 ? {} : { days: chosen }) } };
  }
}
