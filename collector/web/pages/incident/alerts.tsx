import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Alert } from '../../data/api-types.ts';
import { readPages } from '../../data/queries.ts';
import { Badge } from '../../parts/badges.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { More } from '../../parts/more.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { Ago, Elapsed } from '../../parts/time.tsx';
import { severityTones } from '../../theme/tones.ts';
import classes from './incident.module.css';
import type { IncidentDetail } from './incident-page.tsx';

/** Those that fire first, then as they came. */
export function Alerts({ incident: { id, alerts_total: total } }: { incident: IncidentDetail }): ReactNode {
  const query = useInfiniteQuery(readPages('GET /incidents/{id}/alerts', { path: { id }, query: { limit: 20 } }));
  return (
    <Panel title="Its alerts" aside={total > 1 ? countText(total, 'alert') : undefined}>
      <Loaded query={query} lines={4}>
        {(alerts) => (
          <ul className={classes.alerts}>
            {alerts.map((alert) => (
              <AlertItem key={alert.id} alert={alert} />
            ))}
          </ul>
        )}
      </Loaded>
      <More more={query}>Show more</More>
    </Panel>
  );
}

function AlertItem({ alert }: { alert: Alert }): ReactNode {
  const isFiring = alert.status === 'firing';
  return (
    <li>
      <header>
        <Badge tone={isFiring ? severityTones[alert.severity] : 'good'}>{alert.status}</Badge>
        <strong>{alert.condition}</strong>
        <Subject alert={alert} />
      </header>
      <p>{visible(alert.reason)}</p>
      <p className={classes.soft}>
        {isFiring ? (
          <>
            firing for <Elapsed since={alert.fired_at} />
          </>
        ) : (
          <>
            resolved <Ago at={alert.resolved_at} />
          </>
        )}
        {alert.renotifications > 0 && `, told again ${countText(alert.renotifications, 'time')}`}
      </p>
    </li>
  );
}

function Subject({ alert: { task_id: taskId, node, component, subject } }: { alert: Alert }): ReactNode {
  return (
    <span className={classes.subject}>
      {taskId !== null && (
        <Link to="/tasks/$id" params={{ id: taskId }}>
          its task
        </Link>
      )}
      {node !== null ? (
        <Link to="/nodes" search={{ search: node }}>
          {visible(node)}
        </Link>
      ) : (
        taskId === null && visible(subject || component)
      )}
    </span>
  );
}
