import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Queries } from '../db/database.ts';
import { type AlertRow, findIncident } from '../incidents/store.ts';
import { type Decision, decide } from '../routing/decide.ts';
import { toSilence } from '../routing/live-policy.ts';
import { findDrain, findSilences, type SilenceRow } from '../routing/store.ts';
import type { DailyWindow } from '../routing/window.ts';
import { sayAfterSilence } from './after-silence.ts';
import { countsOf } from './allowance.ts';
import { factsOf } from './facts.ts';
import { groupFailure } from './group-failures.ts';
import { moveToGroup } from './group-store.ts';
import { deleteHeld, type HeldRow, listHeld } from './held-store.ts';
import type { FiringCase, Judging } from './round.ts';
import { listTold } from './store.ts';
import { listLostWith } from './task-store.ts';
import { firstWord, tell } from './tell.ts';

/*
 * What a silence or someone's quiet hours kept back.
 *
 *   held   beside the decision, for each subscription that would have been told now
 *   told   once, when nothing keeps it back any more and the alert still fires; the message says how late and why
 *   over   recorded only: the alert has resolved, the receiver has heard of it otherwise, the subscription is gone
 */

type HeldCase = FiringCase & { readonly held: readonly HeldRow[] };

export async function tellHeld(judging: Judging): Promise<void> {
  const { tx } = judging;
  const rows = await listHeld(tx);
  if (rows.length === 0) return;
  const cases = new Map<string, HeldCase & { held: HeldRow[] }>();
  const over: HeldRow[] = [];
  for (const { held, ...about } of rows) {
    if (about.alert.status !== 'firing') over.push(held);
    else if (about.alert.calmSince !== null) continue;
    else if (cases.has(held.alertId)) cases.get(held.alertId)?.held.push(held);
    else cases.set(held.alertId, { ...about, held: [held] });
  }
  const told = await listTold(tx, [...cases.keys()]);
  const silences = await findSilences(
    tx,
    rows.flatMap(({ held }) => (held.silenceId === null ? [] : [held.silenceId])),
  );
  for (const one of cases.values()) {
    const receivers = new Set(told.filter(({ alertId }) => alertId === one.alert.id).map(({ receiver }) => receiver));
    over.push(...(await tellOne(judging, one, { receivers, silences })));
  }
  await deleteHeld(tx, over);
}

/** Returns what need not be held any longer. */
async function tellOne(
  judging: Judging,
  one: HeldCase,
  { receivers, silences }: { receivers: ReadonlySet<string>; silences: ReadonlyMap<string, SilenceRow> },
): Promise<HeldRow[]> {
  const { tx, now, policy } = judging;
  const { alert, node, task, held } = one;
  const bySubscription = new Map(held.map((row) => [row.subscription, row]));
  const lost = alert.condition === 'ComponentUnreachable' ? await listLostWith(tx, alert.id) : [];
  const facts = factsOf(one, lost);
  const asked = decide({
    policy: { ...policy, subscriptions: policy.subscriptions.filter(({ name }) => bySubscription.has(name)) },
    facts,
    suppression: node?.draining === true && alert.condition !== 'TaskFailed' ? 'draining' : null,
    now: now.getTime(),
    sent: await countsOf(judging, task),
  }).map(
    (decision): Decision =>
      decision.notified && receivers.has(decision.receiver)
        ? { ...decision, notified: false, reason: 'receiver_already_told' }
        : decision,
  );
  const decisions = await groupFailures(judging, { alert, asked });
  if (decisions.some(({ notified }) => notified)) {
    await sayAfterSilence(judging, { facts, decisions });
    tell(judging, [
      {
        ...firstWord(one, lost),
        kind: alert.condition === 'ComponentUnreachable' ? 'unreachable' : 'fired',
        decisions,
        incident: await findIncident(tx, alert.incidentId),
        heldBackFor: ({ subscription }) => {
          const row = bySubscription.get(subscription);
          const quietHours = policy.subscriptions.find(({ name }) => name === subscription)?.quietHours ?? null;
          return row && heldBack(row, { silence: silences.get(row.silenceId ?? '') ?? null, quietHours, now });
        },
        isHeld: false,
      },
    ]);
  }
  const staying = new Set(decisions.filter(isKeptBack).map(({ subscription }) => subscription));
  return held.filter(({ subscription }) => !staying.has(subscription));
}

/** A batch that failed while nobody was to hear of it is told together, too. */
async function groupFailures(
  judging: Judging,
  { alert, asked }: { alert: AlertRow; asked: readonly Decision[] },
): Promise<Decision[]> {
  if (alert.condition !== 'TaskFailed') return [...asked];
  const { groupKey = '' } = (await findIncident(judging.tx, alert.incidentId)) ?? {};
  const decisions = await groupFailure(judging, { groupKey, isOfJob: true, decisions: asked });
  for (const { reason, subscription } of decisions)
    if (reason === 'grouped') await moveToGroup(judging.tx, { alertId: alert.id, subscription, groupKey });
  return decisions;
}

function isKeptBack({ reason }: Decision): boolean {
  return reason === 'quiet_hours' || reason === 'silenced' || reason === 'draining' || reason === 'grouped';
}

function heldBack(
  { reason, heldAt }: { reason: HeldRow['reason']; heldAt: Date },
  { silence, quietHours = null, now }: { silence: SilenceRow | null; quietHours?: DailyWindow | null; now: Date },
): NonNullable<Notification['held_back']> {
  const window = silence === null ? quietHours : toSilence(silence).window;
  const windowEnd = window?.before(now.getTime())?.endAt ?? 0;
  const end = windowEnd > heldAt.getTime() ? windowEnd : now.getTime();
  const until = Math.min(silence?.endsAt?.getTime() ?? end, end);
  return {
    reason: reason === 'quiet_hours' ? reason : 'silenced',
    since: toInstant(heldAt.getTime()),
    until: toInstant(until),
    by: silence?.author ?? null,
    note: silence?.reason ?? null,
  };
}

/** What a drain kept back: since when, and by whom if that was said. */
export async function heldByDrain(
  tx: Queries,
  { nodeId, firedAt, now }: { nodeId: string; firedAt: Date; now: Date },
): Promise<NonNullable<Notification['held_back']>> {
  return {
    ...heldBack({ reason: 'silenced', heldAt: firedAt }, { silence: await findDrain(tx, nodeId), now }),
    reason: 'draining',
  };
}
