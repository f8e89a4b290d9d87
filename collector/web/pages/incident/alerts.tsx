import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Alert } from '../../data/api-types.ts';
import { Badge } from '../../parts/badges.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { Ago, Elapsed } from '../../parts/time.tsx';
import { severityTones } from '../../theme/tones.ts';
import classes from './incident.module.css';

/** Those that fire first, then as they came. */
export function Alerts({ alerts }: { alerts: readonly Alert[] }): ReactNode {
  const sorted = alerts.toSorted((a, b) => Number(b.status === 'firing') - Number(a.status === 'firing'));
  return (
    <Panel title="Its alerts" aside={alerts.length > 1 ? countText(alerts.length, 'alert') : undefined}>
      <ul className={classes.alerts}>
        {sorted.map((alert) => (
          <li key={alert.id}>
            <header>
              <Badge tone={alert.status === 'firing' ? severityTones[alert.severity] : 'good'}>{alert.status}</Badge>
              <strong>{alert.condition}</strong>
              <Subject alert={alert} />
            </header>
            <p>{visible(alert.reason)}</p>
            <p className={classes.soft}>
              {alert.status === 'firing' ? (
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
        ))}
      </ul>
    </Panel>
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
