/** What the address of the list of jobs says. */
export interface JobsSearch {
  readonly search?: string;
}

export function jobsSearch({ search }: Record<string, unknown>): JobsSearch {
  return typeof search === 'string' && search !== '' ? { search } : {};
}
