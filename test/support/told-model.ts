import type { Notification } from '@runnerwatch/shared/model/notification.ts';

/** Of a receiver, what it is promised. */
export interface ModelledReceiver {
  /** 0: never told again. */
  readonly renotifyMs: number;
  /** It hears of ends that are no failures, too. */
  readonly hearsAll: boolean;
}

interface Word {
  readonly isActive: boolean;
  readonly at: number;
}

interface Heard {
  /** By id; false while its sender may not know that it was taken. */
  readonly isSettled: Map<string, boolean>;
  /** The last word on each alert. */
  readonly last: Map<string, Word>;
  readonly tasks: Set<string>;
  /** What it refused to hear: nobody has to tell it again. */
  readonly refused: Set<string>;
}

/** What a condition of a node is known by, to the model and in messages. */
export const alertOf = (nodeId: string, condition: string, subject = '') => `${nodeId} ${condition} ${subject}`;

const alertIn = ({ node, condition }: Notification) =>
  alertOf(node?.id ?? '', condition?.type ?? '', condition?.subject);

const isWord = /^(condition|node)\./;
const isBeginning = (type: string) => type === 'condition.fired' || type === 'node.unreachable';

/**
 * What people are promised, whatever happens between a fact and them, and nothing of how it is kept:
 *
 *   never lost    who is to hear of what holds has heard of it, and last that it holds; of what is over, that it is over
 *   never twice   no message whose taking was answered comes again; nothing that was told begins anew before it is over
 *   in order      the beginning comes before the end, and no end comes alone
 *   silenced      while it holds nothing is told of what matches, except the end of what was told
 *   told again    not before its interval, and not while someone has acknowledged it; but then it is
 */
export class ToldModel {
  readonly violations: string[] = [];
  readonly #receivers: ReadonlyMap<string, ModelledReceiver>;
  readonly #heard = new Map<string, Heard>();
  readonly #holding = new Set<string>();
  readonly #unseen = new Set<string>();
  readonly #silences: { readonly nodeId: string; readonly from: number; until: number }[] = [];
  readonly #acknowledged: { readonly incidentId: string; readonly from: number; until: number }[] = [];
  readonly #ended = new Map<string, { readonly isFailure: boolean }>();

  constructor(receivers: Readonly<Record<string, ModelledReceiver>>) {
    this.#receivers = new Map(Object.entries(receivers));
    for (const name of this.#receivers.keys())
      this.#heard.set(name, { isSettled: new Map(), last: new Map(), tasks: new Set(), refused: new Set() });
  }

  /** Null: nobody can see. What held is taken to hold; what was over may not count as calm. */
  holds(alert: string, doesHold: boolean | null): void {
    if (doesHold === null) {
      this.#unseen.add(alert);
      return;
    }
    this.#unseen.delete(alert);
    if (doesHold) this.#holding.add(alert);
    else this.#holding.delete(alert);
  }

  taskEnded(id: string, end: { readonly nodeId: string; readonly isFailure: boolean; readonly at: number }): void {
    // What ends well in a silence is no news afterwards.
    if (end.isFailure || !this.#isSilenced(end.nodeId, end.at, { inclusive: true })) this.#ended.set(id, end);
  }

  silenced(nodeId: string, { from, until }: { from: number; until: number }): void {
    this.#silences.push({ nodeId, from, until });
  }

  silencesEnded(now: number): void {
    for (const silence of this.#silences) silence.until = Math.min(silence.until, now);
  }

  /** Someone has seen it, which replaces what was said of it before; failures that still wait to be told are no news any more. */
  acknowledged(incidentId: string, { from, until, taskIds }: { from: number; until: number; taskIds: string[] }): void {
    for (const one of this.#acknowledged) if (one.incidentId === incidentId) one.until = Math.min(one.until, from);
    this.#acknowledged.push({ incidentId, from, until });
    for (const id of taskIds) this.#ended.delete(id);
  }

  /** A receiver took a message. `isAnswered`: whoever sent it knows that, and lives on. */
  took(receiver: string, body: Notification, { isAnswered }: { isAnswered: boolean }): void {
    const heard = this.#heard.get(receiver);
    if (heard === undefined) return this.#violated(receiver, body, 'is of an unknown receiver');
    if (heard.isSettled.get(body.id) === true) this.#violated(receiver, body, 'came again');
    const isRepeat = heard.isSettled.has(body.id);
    heard.isSettled.set(body.id, isAnswered);
    if (isRepeat) return;
    const at = Date.parse(body.at);
    if (isWord.test(body.type)) this.#tookWord(receiver, heard, body);
    const isEnd = body.type === 'condition.resolved' || body.type === 'node.recovered';
    const nodeIds = [body.node?.id, ...(body.group ?? []).map(({ task }) => task.node_id)];
    if (!isEnd && body.type !== 'task.amended' && nodeIds.some((id) => this.#isSilenced(id, at)))
      this.#violated(receiver, body, 'was silenced');
    // Of a lost one what came of it, of any other a better word.
    if (body.type === 'task.amended') heard.tasks.add(body.task?.id ?? '');
    if (body.type === 'task.ended') this.#tookTask(receiver, heard, { body, id: body.task?.id });
    if (body.type === 'digest')
      for (const { task } of body.group ?? []) this.#tookTask(receiver, heard, { body, id: task.id });
  }

  /** A receiver refused a message for good; an end that it refused is one all the same. */
  refused(receiver: string, body: Notification): void {
    const heard = this.#heard.get(receiver);
    if (body.condition?.active === false) heard?.last.delete(alertIn(body));
    for (const id of [alertIn(body), body.task?.id, ...(body.group ?? []).map(({ task }) => task.id)])
      heard?.refused.add(id ?? '');
  }

  /** Everybody can be reached, nothing is silenced, and all waiting is over. */
  atRest(now: number): void {
    for (const [receiver, { last, tasks, refused }] of this.#heard) {
      const { renotifyMs, hearsAll } = this.#receivers.get(receiver) ?? { renotifyMs: 0, hearsAll: true };
      for (const alert of this.#holding) {
        if (refused.has(alert)) continue;
        const word = last.get(alert);
        if (word?.isActive !== true) this.violations.push(`${receiver} does not know of ${alert}`);
        else if (renotifyMs > 0 && this.#acknowledged.length === 0 && now - word.at > 2 * renotifyMs)
          this.violations.push(`${receiver} was not told again of ${alert}`);
      }
      for (const [alert, { isActive }] of last)
        if (isActive && ![this.#holding, this.#unseen, refused].some((excused) => excused.has(alert)))
          this.violations.push(`${receiver} waits for the end of ${alert}`);
      for (const [id, { isFailure }] of this.#ended)
        if ((isFailure || hearsAll) && !tasks.has(id) && !refused.has(id))
          this.violations.push(`${receiver} does not know of ${id}`);
    }
  }

  #tookWord(receiver: string, heard: Heard, body: Notification): void {
    const alert = alertIn(body);
    const before = heard.last.get(alert);
    const at = Date.parse(body.at);
    const isActive = body.condition?.active === true;
    heard.last.set(alert, { isActive, at });
    heard.refused.delete(alert);
    const stands = before?.isActive === true;
    if (!isActive && !stands && body.combined === undefined) this.#violated(receiver, body, 'is an end alone');
    // A node that comes and goes takes tasks with it each time.
    if (isBeginning(body.type) && stands && body.group === undefined) this.#violated(receiver, body, 'began twice');
    if (body.type !== 'condition.renotified') return;
    if (!stands && body.combined === undefined) this.#violated(receiver, body, 'is told again, but was not told');
    const { renotifyMs = 0 } = this.#receivers.get(receiver) ?? {};
    if (renotifyMs === 0 || (stands && at - before.at < renotifyMs))
      this.#violated(receiver, body, 'is told again too soon');
    const isOf = ({ incidentId }: { incidentId: string }) => incidentId === body.incident?.id;
    if (this.#acknowledged.some((one) => isOf(one) && one.from < at && at < one.until))
      this.#violated(receiver, body, 'was acknowledged');
  }

  #tookTask(receiver: string, heard: Heard, { body, id = '' }: { body: Notification; id: string | undefined }): void {
    if (heard.tasks.has(id)) this.#violated(receiver, body, `tells of ${id} twice`);
    heard.tasks.add(id);
  }

  #isSilenced(nodeId: string | undefined, at: number, { inclusive = false } = {}): boolean {
    return this.#silences.some(
      (one) => one.nodeId === nodeId && (inclusive ? one.from <= at : one.from < at) && at < one.until,
    );
  }

  #violated(receiver: string, body: Notification, what: string): void {
    const about = body.task?.id ?? alertIn(body);
    this.violations.push(`to ${receiver}: ${body.type} ${body.id} of ${about} at ${body.at} ${what}`);
  }
}
