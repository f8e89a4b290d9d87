import type { GroupMember, Notification } from '@runnerwatch/shared/model/notification.ts';

/**
 * The last word on an alert, with what only the words before it would have told: since when there was something to tell, and
 * the tasks that were to be told together with it.
 */
export function combine(
  others: readonly Notification[],
  last: Notification,
  { wasTold }: { readonly wasTold: boolean },
): Notification {
  const [first = last] = others;
  const group = membersOf([...others, last]);
  const count = others.reduce((sum, one) => sum + (one.combined?.notifications ?? 1), 1);
  const { combined: _before, ...rest } = last;
  return {
    ...rest,
    ...(group.length === 0 ? {} : { group }),
    ...(wasTold ? {} : { combined: { notifications: count, since: first.combined?.since ?? first.at } }),
  };
}

/** Each task once, as it was told last. */
function membersOf(notifications: readonly Notification[]): GroupMember[] {
  const members = notifications.flatMap(({ group = [] }) => group);
  return [...new Map(members.map((member) => [member.task.id, member])).values()];
}
