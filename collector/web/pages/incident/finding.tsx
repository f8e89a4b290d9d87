import type { ReactNode } from 'react';
import { reasonOf } from '../../parts/incident-table.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { Ago, At } from '../../parts/time.tsx';
import { severityTones } from '../../theme/tones.ts';
import classes from './incident.module.css';
import type { IncidentDetail } from './incident-page.tsx';

/** What is wrong in one sentence, and whether someone is on it. */
export function Finding({ incident }: { incident: IncidentDetail }): ReactNode {
  const { status, severity, failures, alerts_total: total, alerts_firing: firing } = incident;
  return (
    <section
      className={classes.finding}
      data-tone={status === 'open' ? severityTones[severity] : 'good'}
      aria-label="What is wrong"
    >
      <p className={classes.sentence}>{visible(reasonOf(incident) || incident.title)}</p>
      <p className={classes.soft}>
        {[
          failures > 0 && countText(failures, 'failed task'),
          `${countText(total, 'alert')}${firing === total ? '' : `, ${firing} of them still firing`}`,
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <Acknowledged incident={incident} />
    </section>
  );
}

function Acknowledged({ incident }: { incident: IncidentDetail }): ReactNode {
  const { acknowledged_at: at, acknowledged_by: by, acknowledge_note: note, acknowledged_until: until } = incident;
  if (at === null) return incident.status === 'open' ? <p className={classes.soft}>Nobody is on it yet.</p> : null;
  return (
    <p className={classes.seen}>
      Seen by <strong>{visible(by || 'someone')}</strong> <Ago at={at} />
      {until !== null && (
        <>
          , until <At at={until} />
        </>
      )}
      {note !== null && note !== '' && <q>{visible(note)}</q>}
    </p>
  );
}
