import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { onTheWayMs } from '../../data/reread.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge, SeverityBadge } from '../../parts/badges.tsx';
import { FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Columns, Page } from '../../parts/page.tsx';
import { SilenceForm } from '../../parts/silence-form.tsx';
import { durationText, visible } from '../../parts/texts.ts';
import { Ago, Elapsed } from '../../parts/time.tsx';
import { AcknowledgeForm } from './acknowledge-form.tsx';
import { Alerts } from './alerts.tsx';
import { Finding } from './finding.tsx';
import { silenceFor } from './silence-for.ts';
import { Timeline } from './timeline.tsx';

export type IncidentDetail = Routes['GET /incidents/{id}']['answer'];

/** The alerts of one cause: what is wrong, who knows, who was told. */
export function IncidentPage(): ReactNode {
  const { id } = useParams({ from: '/incidents/$id' });
  const query = useQuery({
    ...read('GET /incidents/{id}', { path: { id } }),
    refetchInterval: ({ state: { data } }) => (data?.notifications_pending ?? 0) > 0 && onTheWayMs,
  });
  const incident = query.data;
  return (
    <Page
      title={incident === undefined ? 'Incident' : visible(incident.title)}
      lead={incident && <Lead incident={incident} />}
      actions={incident && <Actions incident={incident} />}
    >
      <Loaded query={query} lines={9}>
        {(loaded) => (
          <>
            <Finding incident={loaded} />
            <Columns>
              <Alerts incident={loaded} />
              <Timeline incident={loaded} />
            </Columns>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Lead({ incident: { status, opened_at, resolved_at } }: { incident: IncidentDetail }): ReactNode {
  if (status === 'open')
    return (
      <>
        open for <Elapsed since={opened_at} />
      </>
    );
  return (
    <>
      over <Ago at={resolved_at} />, after {durationText(Date.parse(resolved_at ?? '') - Date.parse(opened_at))}
    </>
  );
}

function Actions({ incident }: { incident: IncidentDetail }): ReactNode {
  const [shown, show] = useState<'acknowledge' | 'silence' | null>(null);
  const close = () => show(null);
  return (
    <>
      {incident.status === 'open' ? (
        <SeverityBadge severity={incident.severity} />
      ) : (
        <Badge tone="good">{incident.status}</Badge>
      )}
      {incident.flapping && <Badge tone="warning">comes and goes</Badge>}
      {incident.status === 'open' && (
        <>
          <Allowed to="POST /silences">
            <Button size="xs" variant="default" onClick={() => show('silence')}>
              Silence
            </Button>
          </Allowed>
          <Allowed to="POST /incidents/{id}/ack">
            <Button size="xs" onClick={() => show('acknowledge')}>
              Acknowledge
            </Button>
          </Allowed>
        </>
      )}
      <FormDialog title="Acknowledge" isOpen={shown === 'acknowledge'} close={close}>
        <AcknowledgeForm incident={incident} onDone={close} />
      </FormDialog>
      <FormDialog title="Silence what is like this" isOpen={shown === 'silence'} close={close}>
        <SilenceForm matchers={silenceFor(incident)} onDone={close} />
      </FormDialog>
    </>
  );
}
