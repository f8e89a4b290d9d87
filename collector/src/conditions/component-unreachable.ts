import type { Judgment } from './condition.ts';

/** What liveness knows of one node. */
export interface Contact {
  readonly status: 'online' | 'offline' | 'stopped' | 'never_seen';
  /** Past its deadline while this collector was listening. */
  readonly isOverdue: boolean;
  readonly lastHeardAt: number;
}

/**
 * ComponentUnreachable: nothing was heard of an agent for longer than `heartbeat_timeout`.
 * A goodbye is not a death: a stopped node that was not overdue is neither unreachable nor back, so there is nothing to say (null).
 */
export function judgeUnreachable(contact: Contact, now: number): Judgment | null {
  const silentS = Math.max(0, Math.round((now - contact.lastHeardAt) / 1000));
  const judgment = {
    condition: 'ComponentUnreachable',
    component: 'agent',
    subject: '',
    severity: 'critical',
    value: null,
    threshold: null,
  } as const;
  if (contact.status === 'offline' || (contact.status === 'online' && contact.isOverdue)) {
    return { ...judgment, status: 'true', reason: `nothing heard for ${silentS} s`, since: contact.lastHeardAt };
  }
  if (contact.status === 'online')
    return { ...judgment, status: 'false', reason: 'heard again', since: contact.lastHeardAt };
  return null;
}

/** A node that was unreachable and has said goodbye since: it was heard again, however briefly. */
export function judgeReturned(contact: Contact): Judgment | null {
  if (contact.status === 'offline') return null;
  return {
    condition: 'ComponentUnreachable',
    component: 'agent',
    subject: '',
    status: 'false',
    severity: 'critical',
    reason: contact.status === 'stopped' ? 'heard again, then stopped with a goodbye' : 'heard again',
    value: null,
    threshold: null,
    since: contact.lastHeardAt,
  };
}
