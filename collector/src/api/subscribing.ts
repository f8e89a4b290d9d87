import type { Database } from '../db/database.ts';
import { newId } from '../outbox/new-id.ts';
import { logReceiver } from '../routing/config.ts';
import type { LivePolicy } from '../routing/live-policy.ts';
import { insertSubscription, type SubscriptionRow } from '../routing/store.ts';
import { badRequest, conflict } from './errors.ts';
import { toMs } from './schemas/routing.ts';

export type TargetType = 'webhook' | 'email';

export interface SubscribingDeps {
  readonly db: Database;
  readonly policy: LivePolicy;
  readonly now: () => number;
  /** A sentence why this cannot be a target; null when it can. */
  readonly refuseTarget: (type: TargetType, address: string) => string | null;
}

/** Whom a new subscription tells: a notifier of the file, or an address of its own. */
export interface WrittenReceiver {
  readonly receiver?: string | undefined;
  readonly target?: { readonly type: TargetType; readonly address: string } | undefined;
}

type NewSubscription = Omit<Parameters<typeof insertSubscription>[1], 'id' | 'receiver' | 'target' | 'createdAt'>;

/** So many at once are a mistake, and would slow every decision. */
const subscriptionsMax = 10_000;

/**
 * Stores a subscription; it is in force when this resolves.
 * @throws ApiError about the receiver or the target (`fields` names its key in this request)
 */
export async function subscribe(
  deps: SubscribingDeps,
  values: NewSubscription,
  { receiver, target, field = 'target.address' }: WrittenReceiver & { readonly field?: string },
): Promise<SubscriptionRow> {
  const { db, policy, now } = deps;
  if (receiver !== undefined && target !== undefined) throw badRequest('target', 'expected either receiver or target');
  const refusal = target === undefined ? null : deps.refuseTarget(target.type, target.address);
  if (refusal !== null) throw badRequest(field, refusal);
  if (policy.current().subscriptions.length >= subscriptionsMax)
    throw conflict(`there are ${subscriptionsMax} subscriptions already; remove some with DELETE /subscriptions/:id`);
  const id = newId(now());
  const row = await insertSubscription(db.drizzle, {
    ...values,
    id,
    createdAt: new Date(now()),
    ...(target === undefined
      ? { receiver: knownReceiver(policy, receiver) }
      : { receiver: `${target.type}:${id}`, target: target.address }),
  });
  await policy.refresh();
  return row;
}

/** Steps as they are stored, the soonest first. @throws ApiError about one that cannot be taken */
export function knownSteps(
  policy: LivePolicy,
  written: readonly { readonly after: string; readonly receiver: string }[],
): NonNullable<SubscriptionRow['escalate']> {
  return written
    .map(({ after, receiver }) => {
      const after_ms = toMs(after);
      if (after_ms <= 0) throw badRequest('escalate', 'expected a duration above 0');
      return { after_ms, receiver: knownReceiver(policy, receiver, 'escalate') };
    })
    .toSorted((a, b) => a.after_ms - b.after_ms);
}

/** A notifier of the file; without a name the one that its first subscription tells. @throws ApiError */
export function knownReceiver(policy: LivePolicy, name: string | undefined, field = 'receiver'): string {
  const { receivers, subscriptions } = policy.current();
  const named = [...receivers].filter((one) => !one.includes(':'));
  if (name === undefined)
    return subscriptions.find(({ receiver }) => named.includes(receiver))?.receiver ?? logReceiver;
  if (named.includes(name)) return name;
  throw badRequest(field, `there is no notifier ${name} in collector.yaml; there are: ${named.join(', ')}`);
}
