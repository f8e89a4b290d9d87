import { type Acknowledgement, acknowledge, alertsOf, findIncident, type IncidentRow } from '../incidents/store.ts';
import { closeSilently, tellAcknowledged } from './mirrors.ts';
import type { Judging } from './round.ts';

/**
 * A person has seen it. What can end by itself goes on; failed tasks cannot, so seeing them is their end. People are not told
 * of either, mirrors are. Null: there is no such incident.
 */
export async function judgeAcknowledged(
  judging: Judging,
  acknowledgement: Acknowledgement,
): Promise<IncidentRow | null> {
  const { tx, now, touched } = judging;
  const acknowledged = await acknowledge(tx, acknowledgement, now);
  if (acknowledged === null) return null;
  const { id, by, note } = acknowledgement;
  const reason = [`acknowledged${by === '' ? '' : ` by ${by}`}`, note].filter((part) => part !== '').join(': ');
  const alerts = (await alertsOf(tx, [id])).filter(
    ({ condition, status }) => condition === 'TaskFailed' && status === 'firing',
  );
  await closeSilently(judging, { alerts, reason });
  const incident = await findIncident(tx, id);
  if (incident?.status === 'open') await tellAcknowledged(judging, { incident, reason });
  touched.push({ kind: 'incident', id });
  return incident;
}
