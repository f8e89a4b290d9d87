import type { SourceState } from '@runnerwatch/shared/model/node.ts';

/** What this machine lets us see of the ends of processes. */
export interface Sight {
  readonly hasEvents: boolean;
  /** A pidfd tells the exit status after the reap. */
  readonly pidfdExit: boolean;
  readonly hasCgroups: boolean;
  /** Why there are no events. */
  readonly connectorReason: string;
}

/** What people are told of it; `unseen`: why an end's status may stay unknown. */
export function judgeSight(sight: Sight): Pick<SourceState, 'state' | 'reason'> & { readonly unseen: string } {
  const { hasEvents, pidfdExit, hasCgroups, connectorReason } = sight;
  const unseen = hasEvents
    ? 'no message of its end arrived'
    : `only its parent is told (needs Linux 6.15, or kernel process events; ${connectorReason})`;
  const cgroups = hasCgroups ? [] : ['no cgroup2 tree: units cannot be told apart, only followed processes are heard'];
  if (hasEvents) {
    return hasCgroups
      ? { state: 'seeing', reason: null, unseen }
      : { state: 'degraded', reason: cgroups.join('; '), unseen };
  }
  if (pidfdExit) {
    const parts = ['only main processes that are still there when looked at', connectorReason, ...cgroups];
    return { state: 'degraded', reason: parts.join('; '), unseen };
  }
  const cure = 'give the agent CAP_NET_ADMIN in the initial namespaces, or run Linux 6.15';
  return { state: 'blind', reason: `exit statuses stay unknown: ${connectorReason}; ${cure}`, unseen };
}
