import type { Queries } from '../db/database.ts';
import type { NodeRow } from '../nodes/record.ts';
import type { Keeper } from '../outbox/outbox.ts';
import type { Policy } from '../routing/subscription.ts';
import type { TaskRow } from '../tasks/row.ts';
import type { LoopView } from './restart-loops.ts';

export type { NodeRow, TaskRow };

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
  /** Takes up promises as they are made; null where only the deliverer's own tick does. */
  readonly keeper: Keeper | null;
  /** Promises made so far. */
  promised: number;
}
