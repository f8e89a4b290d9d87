import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { createScheduler } from './catalogue.ts';
import { nameOf, type SchedulerConfig } from './config.ts';
import { SchedulerPoller, type SchedulerState } from './poller.ts';
import { findRaised, insertFacts } from './store.ts';

export interface SchedulersOptions {
  readonly config: readonly SchedulerConfig[];
  readonly db: Database;
  readonly report: (reports: readonly ConditionReport[]) => Promise<void>;
  /** After a commit. `hasFacts`: the engine has something to judge. */
  readonly onJoined: (joined: { readonly changedTaskIds: readonly string[]; readonly hasFacts: boolean }) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Schedulers extends AsyncDisposable {
  states(): readonly SchedulerState[];
}

/** A loop for each configured scheduler. What was raised for one that is configured no more ends here. */
export async function startSchedulers(options: SchedulersOptions): Promise<Schedulers> {
  const { config, db, report, onJoined, clock, log } = options;
  await endForgotten(options);
  const pollers = config.map(
    (one) =>
      new SchedulerPoller({
        name: nameOf(one),
        scheduler: createScheduler({ type: one.type, url: one.url, token: one.token ?? null }),
        pollIntervalMs: one.poll_interval,
        db,
        report,
        onJoined,
        clock,
        log,
      }),
  );
  for (const poller of pollers) poller.start();
  return {
    states: () => pollers.map(({ state }) => state),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(pollers.map((poller) => poller[Symbol.asyncDispose]()));
    },
  };
}

async function endForgotten({ config, db, report, clock }: SchedulersOptions): Promise<void> {
  const names = new Set(config.map(nameOf));
  const forgotten = (await findRaised(db.drizzle)).filter(({ subject }) => !names.has(subject.split('/')[0] ?? ''));
  const now = clock.wallMs();
  for (const { nodeId, condition, subject } of forgotten) {
    const over: ConditionReport = {
      condition,
      component: condition === 'TaskGhost' ? 'agent' : 'collector',
      subject,
      status: 'false',
      severity: 'info',
      reason: 'the scheduler is configured no more',
      value: null,
      threshold: null,
      since: toInstant(now),
    };
    if (condition === 'SchedulerUnreachable') await report([over]);
    else
      await db.drizzle.transaction((transaction) =>
        insertFacts(transaction, 'forgotten', {
          facts: [{ nodeId, body: { kind: 'condition', report: over } }],
          now: new Date(now),
        }),
      );
  }
}
