import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { and, eq, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts } from '../db/tables/schema.ts';
import type { RaisedCondition } from '../nodes/record.ts';
import { fingerprintOf } from './judge-condition.ts';

/** Reports of nodes, by node id, each with the incident of the alert that fires because of it. */
export async function withIncidents(
  queries: Queries,
  byNode: ReadonlyMap<string, readonly ConditionReport[]>,
): Promise<Map<string, RaisedCondition[]>> {
  const fingerprints = [...byNode].flatMap(([nodeId, reports]) =>
    reports.map((report) => fingerprintOf({ nodeId, ...report })),
  );
  if (fingerprints.length === 0) return new Map();
  const firing = await queries
    .select({ fingerprint: alerts.fingerprint, incidentId: alerts.incidentId })
    .from(alerts)
    .where(and(sql`${alerts.fingerprint} = any(${sql.param(fingerprints)}::text[])`, eq(alerts.status, 'firing')));
  const incidents = new Map(firing.map(({ fingerprint, incidentId }) => [fingerprint, incidentId]));
  const withIncident = (nodeId: string) => (report: ConditionReport) => ({
    ...report,
    incident_id: incidents.get(fingerprintOf({ nodeId, ...report })) ?? null,
  });
  return new Map([...byNode].map(([nodeId, reports]) => [nodeId, reports.map(withIncident(nodeId))]));
}
