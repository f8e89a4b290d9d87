/** The cgroup of a unit or a container, as a path below the cgroup2 mount. */
export interface UnitCgroup {
  readonly path: string;
  /** Its leaf carries a container's 64-digit id. Runtimes enter it with a helper process that hands over to the real first one. */
  readonly isContainer: boolean;
}

const containerLeaf = /(^|[-_])[0-9a-f]{64}(\.scope)?$/;
const unitLeaf = /\.(scope|service)$/;

/**
 * The unit a cgroup belongs to: the outermost container on the path (what runs inside is the container's own affair),
 * else the nearest `*.scope` or `*.service`, itself included (services may divide their cgroup further); null outside of any.
 */
export function unitCgroupOf(path: string): UnitCgroup | null {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.includes('..')) return null;
  const container = parts.findIndex((part) => containerLeaf.test(part));
  if (container >= 0) return { path: `/${parts.slice(0, container + 1).join('/')}`, isContainer: true };
  const unit = parts.findLastIndex((part) => unitLeaf.test(part));
  return unit < 0 ? null : { path: `/${parts.slice(0, unit + 1).join('/')}`, isContainer: false };
}

/** A unit of the system's manager: a user's manager, or a container's, has its own below some service. */
export function isOfSystem(path: string): boolean {
  return path
    .split('/')
    .slice(1, -1)
    .every((part) => part.endsWith('.slice'));
}
