import type { DiskUse } from '@runnerwatch/shared/model/sample.ts';
import type { Run } from './run.ts';
import type { RunFacts } from './verdict/run-facts.ts';

/**
 * The fullest of the disks a run wrote to, as far as can be told: where its main process worked, its log's and the root; of
 * a container, whose paths are its own, where its engine keeps it. Blocks and inodes run out alike.
 */
export function fullestDiskOf(
  { source, directory }: Pick<Run, 'source' | 'directory'>,
  disks: readonly DiskUse[],
  at: number,
): RunFacts['disk']['fullest'] {
  const home = engineHomes.get(source);
  const paths = home === undefined ? [directory ?? '/', '/', '/var/log'] : [home];
  const used = paths.flatMap((path) => diskOfPath(path, disks) ?? []);
  const [fullest] = used.toSorted((a, b) => usedPercentOf(b) - usedPercentOf(a));
  if (fullest === undefined) return null;
  const usedPercent = usedPercentOf(fullest);
  return { mount: fullest.mount, of: usedPercent > fullest.used_percent ? 'inodes' : 'space', usedPercent, at };
}

const engineHomes: ReadonlyMap<string, string> = new Map([
  ['docker', '/var/lib/docker'],
  ['podman', '/var/lib/containers'],
]);

/** The mount that is nearest above the path. */
function diskOfPath(path: string, disks: readonly DiskUse[]): DiskUse | undefined {
  const above = disks.filter(({ mount }) => mount === '/' || path === mount || path.startsWith(`${mount}/`));
  return above.toSorted((a, b) => b.mount.length - a.mount.length)[0];
}

function usedPercentOf({ used_percent: space, inodes_used_percent: inodes }: DiskUse): number {
  return Math.max(space, inodes ?? 0);
}
