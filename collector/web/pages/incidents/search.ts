/** What the address of the list of incidents says. */
export interface IncidentsSearch {
  readonly status?: (typeof incidentStatuses)[number];
  readonly severity?: (typeof severities)[number];
}

export const incidentStatuses = ['open', 'resolved'] as const;
export const severities = ['critical', 'warning', 'info'] as const;

export function incidentsSearch(asked: Record<string, unknown>): IncidentsSearch {
  const status = incidentStatuses.find((one) => one === asked['status']);
  const severity = severities.find((one) => one === asked['severity']);
  return { ...(status === undefined ? {} : { status }), ...(severity === undefined ? {} : { severity }) };
}
