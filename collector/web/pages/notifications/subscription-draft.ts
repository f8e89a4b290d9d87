import type { Routes, Subscription } from '../../data/api-types.ts';
import { linesOf, type MatcherLine, matchersOf } from '../../parts/matcher-lines.ts';
import { type Addressee, nobody, writtenReceiver } from '../../parts/receiver-field.tsx';
import { type DailyWindow, windowOf, writtenWindow } from '../../parts/window-fields.tsx';

type Body = Routes['POST /subscriptions']['body'];
export type Event = NonNullable<Body['events']>[number];

/** A subscription as its form has it. Texts that are empty say nothing. */
export interface Draft {
  readonly addressee: Addressee;
  readonly lines: readonly MatcherLine[];
  readonly events: readonly Event[];
  readonly name: string;
  readonly duration: string;
  readonly groupWindow: string;
  readonly digest: string;
  readonly quiet: DailyWindow | null;
}

export const events: readonly Event[] = [
  'fail',
  'timeout',
  'condition',
  'unreachable',
  'success',
  'end',
  'begin',
  'time_limit_80',
  'all',
];

/** What the form begins with: one that is there, or nothing yet. */
export function draftOf(known: Subscription | null): Draft {
  if (known === null)
    return {
      addressee: nobody,
      lines: [{ key: 'job', patterns: '' }],
      events: ['fail', 'timeout'],
      name: '',
      duration: '',
      groupWindow: '',
      digest: '',
      quiet: null,
    };
  return {
    addressee: { receiver: known.receiver, address: '' },
    lines: linesOf(known.matchers),
    events: events.filter((event) => known.events.includes(event)),
    name: known.name === known.id ? '' : known.name,
    duration: '',
    groupWindow: known.group_window ?? '',
    digest: known.digest ?? '',
    quiet: known.quiet_hours && windowOf(known.quiet_hours),
  };
}

export function newSubscription(draft: Draft, person: string): Body {
  return {
    ...written(draft),
    ...writtenReceiver(draft.addressee),
    ...(person.trim() === '' ? {} : { created_by: person.trim() }),
  };
}

/** An address of its own stays as it is. */
export function changedSubscription(
  draft: Draft,
  { target }: Pick<Subscription, 'target'>,
): Routes['PATCH /subscriptions/{id}']['body'] {
  return { ...written(draft), ...(target === null ? { receiver: draft.addressee.receiver } : {}) };
}

function written({ lines, events: chosen, name, duration, groupWindow, digest, quiet }: Draft) {
  return {
    matchers: matchersOf(lines),
    events: chosen,
    group_window: digest.trim() !== '' || groupWindow.trim() === '' ? null : groupWindow.trim(),
    digest: digest.trim() === '' ? null : digest.trim(),
    quiet_hours: quiet === null ? null : writtenWindow(quiet),
    ...(name.trim() === '' ? {} : { name: name.trim() }),
    ...(duration.trim() === '' ? {} : { for: duration.trim() }),
  };
}
