import { SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../data/api-types.ts';
import { preview, useSend } from '../data/queries.ts';
import { severityTones } from '../theme/tones.ts';
import { Badge } from './badges.tsx';
import { Failure } from './failure.tsx';
import { DurationField, FieldRow, Form, PersonField, ReasonField, type TextProps, usePerson } from './form.tsx';
import { linesOf, type MatcherLine, type Matchers, matchersOf } from './matcher-lines.ts';
import { MatcherField } from './matchers.tsx';
import classes from './silence-form.module.css';
import { countText, visible } from './texts.ts';
import { type DailyWindow, night, WindowFields, writtenWindow, ZoneField } from './window-fields.tsx';
import { instantOf, isZone } from './zone-time.ts';

type Body = Routes['POST /silences']['body'];

/** Instants as the fields have them: by the clocks of the zone, without it. */
interface Times extends DailyWindow {
  readonly kind: 'now' | 'later' | 'weekly';
  readonly duration: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

const kinds = [
  { value: 'now', label: 'From now on' },
  { value: 'later', label: 'Once, later' },
  { value: 'weekly', label: 'Every week' },
];
const shownMax = 5;

/** Silences what fits, after showing what that would hide. `matchers`: what it begins with. */
export function SilenceForm({ matchers: first, onDone }: { matchers: Matchers; onDone: () => void }): ReactNode {
  const [lines, setLines] = useState<readonly MatcherLine[]>(() => {
    const given = linesOf(first);
    return given.length > 0 ? given : [{ key: 'node', patterns: '' }];
  });
  const [times, setTimes] = useState<Times>({ kind: 'now', duration: '2h', startsAt: '', endsAt: '', ...night });
  const [reason, setReason] = useState('');
  const [author, setAuthor] = usePerson();
  const send = useSend('POST /silences');
  const matchers = matchersOf(lines);
  const isComplete =
    Object.keys(matchers).length > 0 &&
    reason.trim() !== '' &&
    author.trim() !== '' &&
    (times.kind === 'now' || isZone(times.zone)) &&
    (times.kind !== 'later' || (times.startsAt !== '' && times.endsAt !== ''));
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
      {times.kind === 'now' && (
        <DurationField
          label="For"
          description="Such as 45m, 8h, 7d."
          value={times.duration}
          onChange={(duration) => change({ duration })}
        />
      )}
      {times.kind === 'later' && (
        <>
          <FieldRow>
            <InstantField label="From" value={times.startsAt} onChange={(startsAt) => change({ startsAt })} />
            <InstantField label="Until" value={times.endsAt} onChange={(endsAt) => change({ endsAt })} />
          </FieldRow>
          <ZoneField value={times.zone} onChange={(zone) => change({ zone })} />
        </>
      )}
      {times.kind === 'weekly' && (
        <WindowFields value={times} onChange={change}>
          <InstantField
            label="Until"
            description="Empty: until it is ended."
            value={times.endsAt}
            onChange={(endsAt) => change({ endsAt })}
          />
        </WindowFields>
      )}
    </>
  );
}

function InstantField({ label, description, value, onChange }: TextProps): ReactNode {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      description={description}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function written({ kind, duration, startsAt, endsAt, ...window }: Times): Partial<Body> {
  switch (kind) {
    case 'now':
      return { for: duration };
    case 'later':
      return { starts_at: instantOf(startsAt, window.zone), ends_at: instantOf(endsAt, window.zone) };
    case 'weekly':
      return {
        recurrence: writtenWindow(window),
        ...(endsAt === '' ? {} : { ends_at: instantOf(endsAt, window.zone) }),
      };
  }
}
