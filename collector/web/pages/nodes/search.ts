const statuses = ['online', 'offline', 'stopped', 'draining'] as const;

/** What the address of the list of nodes says. */
export interface NodesSearch {
  readonly search?: string;
  readonly status?: (typeof statuses)[number];
  /** A condition that is true, or `any`. The API judges it. */
  readonly condition?: string;
}

export function nodesSearch({ search, status, condition }: Record<string, unknown>): NodesSearch {
  const known = statuses.find((one) => one === status);
  return {
    ...(typeof search === 'string' && search !== '' ? { search } : {}),
    ...(typeof condition === 'string' && condition !== '' ? { condition } : {}),
    ...(known === undefined ? {} : { status: known }),
  };
}
