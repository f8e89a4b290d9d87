import type { FastFailSettings } from '../conditions/node-fails-fast.ts';
import type { Queries } from '../db/database.ts';
import type { AlertRow } from '../incidents/store.ts';
import type { NodeRow } from '../nodes/record.ts';
import type { Policy } from '../routing/subscription.ts';
import type { TaskRow } from '../tasks/row.ts';
import type { LoopView } from './restart-loops.ts';

export type { NodeRow, TaskRow };

export type Mirrors = ReadonlyMap<string, 'incident' | 'alert'>;

/** Something that readers of the live stream will want to see again. */
export interface Touched {
  readonly kind: 'node' | 'task' | 'incident';
  readonly id: string;
}

/** One transaction's worth of judging: what it may use, and what it leaves for after the commit. */
export interface Judging {
  readonly tx: Queries;
  readonly now: Date;
  readonly policy: Policy;
  /** Where incidents can be looked at; null without `public_url`. */
  readonly publicUrl: string | null;
  readonly touched: Touched[];
  readonly loops: LoopView;
  readonly fastFail: FastFailSettings;
  /** Receivers that keep an object of their own for each incident, or each alert. */
  readonly mirrors: Mirrors;
  /** Those that something was promised to. */
  readonly receivers: Set<string>;
  /** Asked for and not waited for: see {@link leave}. */
  readonly underway: Promise<unknown>[];
}

/** Asks for what nobody needs an answer to. It is waited for at the end of the transaction, and a failure of it is told there. */
export function leave({ underway }: Judging, statement: Promise<unknown>): void {
  statement.catch(() => {});
  underway.push(statement);
}

/** An alert that fires, with what it speaks of. */
export interface FiringCase {
  readonly alert: AlertRow;
  readonly node: NodeRow | null;
  /** The task it speaks of. */
  readonly task: TaskRow | null;
}
