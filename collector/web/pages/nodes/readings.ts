import type { FleetNode, Node, NodeSample } from '../../data/api-types.ts';

/** One gauge of a node: 0 to 100, null when it was not read. */
export function memoryPercent(sample: NodeSample | null): number | null {
  const { memory_total_bytes: total, memory_available_bytes: available } = sample ?? {};
  return total && typeof available === 'number' ? 100 * (1 - available / total) : null;
}

/** The load of a minute in percent of twice its threshold of two per core, so that the threshold is in the middle. */
export function loadPercent(sample: NodeSample | null, node: Pick<Node, 'inventory'>): number | null {
  const cores = sample?.cpu_count ?? node.inventory?.cpu_count;
  return typeof sample?.load1 === 'number' && cores ? (100 * sample.load1) / (4 * cores) : null;
}

export function fullestDisk(sample: NodeSample | null): NonNullable<NodeSample['disks']>[number] | null {
  return (sample?.disks ?? []).toSorted((a, b) => b.used_percent - a.used_percent)[0] ?? null;
}

/** Its readings are of now. */
export function isHeard({ status }: Pick<Node, 'status'>): boolean {
  return status === 'online' || status === 'draining';
}

type Severity = Node['conditions'][number]['severity'];
export type Health = Severity | 'offline' | 'away' | 'blind' | 'well';

/** The worst that is to be said of a node. */
export function healthOf({ status, conditions, sources }: FleetNode): Health {
  if (status === 'offline') return 'offline';
  const firing = conditions.filter((one) => one.status === 'true').map(({ severity }) => severity);
  const worst = (['critical', 'warning', 'info'] as const).find((severity) => firing.includes(severity));
  if (worst !== undefined) return worst;
  if (status === 'stopped' || status === 'never_seen') return 'away';
  return sources.some(({ state }) => state === 'blind') ? 'blind' : 'well';
}
