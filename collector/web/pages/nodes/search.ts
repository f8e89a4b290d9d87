const statuses = ['online', 'offline', 'stopped', 'draining'] as const;

/** What the address of the list of nodes says. */
export interface NodesSearch {
  readonly search?: string;
  readonly status?: (typeof statuses)[number];
}

export function nodesSearch({ search, status }: Record<string, unknown>): NodesSearch {
  const known = statuses.find((one) => one === status);
  return {
    ...(typeof search === 'string' && search !== '' ? { search } : {}),
    ...(known === undefined ? {} : { status: known }),
  };
}
