import type { ReactNode } from 'react';
import type { Node, Task, Verdict } from '../data/api-types.ts';
import { causeTones, nodeTones, type Severity, severityTones, type Tone, taskTones } from '../theme/tones.ts';
import classes from './badges.module.css';
import { causeText, statusText } from './texts.ts';

/** A word on a tint of its tone, after a dot. */
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }): ReactNode {
  return (
    <span className={classes.badge} data-tone={tone}>
      {children}
    </span>
  );
}

export function TaskStatusBadge({ status }: { status: Task['status'] }): ReactNode {
  return <Badge tone={taskTones[status]}>{statusText(status)}</Badge>;
}

export function NodeStatusBadge({ status }: { status: Node['status'] }): ReactNode {
  return <Badge tone={nodeTones[status]}>{statusText(status)}</Badge>;
}

export function SeverityBadge({ severity }: { severity: Severity }): ReactNode {
  return <Badge tone={severityTones[severity]}>{severity}</Badge>;
}

export function CauseBadge({ cause }: { cause: Verdict['cause'] }): ReactNode {
  return <Badge tone={causeTones[cause]}>{causeText(cause)}</Badge>;
}
