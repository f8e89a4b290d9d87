import { Autocomplete, Chip, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Routes, Silence } from '../data/api-types.ts';
import { FieldRow } from './form.tsx';
import classes from './window-fields.module.css';
import { isZone, ownZone, zones } from './zone-time.ts';

/** Hours of a day as the API takes them. */
type WindowRule = NonNullable<Routes['POST /silences']['body']['recurrence']>;
type Day = NonNullable<WindowRule['days']>[number];

/** The same as the fields have it. */
export interface DailyWindow {
  readonly zone: string;
  readonly from: string;
  readonly to: string;
  /** It begins on these; none: on every day. */
  readonly days: readonly Day[];
}

const days: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export const night: DailyWindow = { zone: ownZone, from: '22:00', to: '06:00', days: [] };

interface Fields {
  readonly value: DailyWindow;
  readonly onChange: (value: DailyWindow) => void;
  /** Beside the time zone. */
  readonly children?: ReactNode;
}

/** From when to when, on which days, by whose clocks. */
export function WindowFields({ value, onChange, children }: Fields): ReactNode {
  const { from, to } = value;
  return (
    <>
      <Chip.Group multiple value={[...value.days]} onChange={(chosen) => onChange({ ...value, days: daysOf(chosen) })}>
        <div className={classes.days} role="group" aria-label="Days it begins on; none: every day">
          <span>{value.days.length === 0 ? 'Every day' : 'Begins on'}</span>
          {days.map((day) => (
            <Chip key={day} value={day} size="xs" color="teal">
              {day}
            </Chip>
          ))}
        </div>
      </Chip.Group>
      <FieldRow>
        <TextInput
          type="time"
          label="From"
          description="By the clocks of that zone."
          value={from}
          onChange={(event) => onChange({ ...value, from: event.currentTarget.value })}
        />
        <TextInput
          type="time"
          label="To"
          description={to <= from ? 'On the next day.' : 'On the same day.'}
          value={to}
          onChange={(event) => onChange({ ...value, to: event.currentTarget.value })}
        />
      </FieldRow>
      <FieldRow>
        <ZoneField value={value.zone} onChange={(zone) => onChange({ ...value, zone })} />
        {children}
      </FieldRow>
    </>
  );
}

/** By whose clocks times are meant. */
export function ZoneField({ value, onChange }: { value: string; onChange: (zone: string) => void }): ReactNode {
  return (
    <Autocomplete
      label="Time zone"
      description={value === ownZone ? 'Yours.' : `Yours is ${ownZone}.`}
      data={[...zones]}
      limit={30}
      value={value}
      onChange={onChange}
      error={isZone(value) ? undefined : 'Such as Europe/Berlin.'}
    />
  );
}

export function windowOf(shown: NonNullable<Silence['recurrence']>): DailyWindow {
  return { zone: shown.time_zone, from: shown.from, to: shown.to, days: daysOf(shown.days ?? []) };
}

export function writtenWindow({ zone, from, to, days: chosen }: DailyWindow): WindowRule {
  return { time_zone: zone, from, to, ...(chosen.length === 0 ? {} : { days: chosen }) };
}

function daysOf(names: readonly string[]): Day[] {
  return days.filter((day) => names.includes(day));
}
