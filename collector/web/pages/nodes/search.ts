const sorts = ['name', 'health', 'cpu', 'memory', 'load', 'disk', 'last_heard'] as const;
const statuses = ['online', 'offline', 'stopped', 'draining'] as const;

/** What the address of the list of nodes says. */
export interface NodesSearch {
  readonly search?: string;
  readonly status?: (typeof statuses)[number];
  /** A condition that is true, or `any`. The API judges it. */
  readonly condition?: string;
  /** By name when left out. */
  readonly sort?: NodesSort;
  readonly order?: 'asc' | 'desc';
}

export type NodesSort = (typeof sorts)[number];

/** The worst and the fullest first, names from A on, the longest silence first: as the API does it. */
export function isDescending({ sort = 'name', order }: NodesSearch): boolean {
  return order === undefined ? sort !== 'name' && sort !== 'last_heard' : order === 'desc';
}

export function nodesSearch(said: Record<string, unknown>): NodesSearch {
  const { search, condition, order } = said;
  const status = statuses.find((one) => one === said['status']);
  const sort = sorts.find((one) => one === said['sort']);
  return {
    ...(typeof search === 'string' && search !== '' ? { search } : {}),
    ...(typeof condition === 'string' && condition !== '' ? { condition } : {}),
    ...(status === undefined ? {} : { status }),
    ...(sort === undefined ? {} : { sort }),
    ...(order === 'asc' || order === 'desc' ? { order } : {}),
  };
}
