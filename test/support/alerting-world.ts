import { acknowledge } from '@runnerwatch/collector/incidents/store.ts';
import { judgeAnswer } from '@runnerwatch/collector/notifiers/http.ts';
import type { DeliveryOutcome, Notifier } from '@runnerwatch/collector/notifiers/notifier.ts';
import { newId } from '@runnerwatch/collector/outbox/new-id.ts';
import { endSilence, insertSilence } from '@runnerwatch/collector/routing/store.ts';
import { type AlertRig, startAlerting } from './alert-rig.ts';
import { eventually } from './eventually.ts';
import { ManualClock } from './manual-clock.ts';
import { alertOf, ToldModel } from './told-model.ts';

export const nodeIds = ['n0', 'n1'] as const;
export const receivers = ['pager', 'desk'] as const;
/** What a receiver does with what it is sent. `late`: takes it, but its answer never arrives. */
export const moods = ['well', 'fails', 'deaf', 'late', 'busy', 'refuses'] as const;
type Mood = (typeof moods)[number];
/** Behind the commit of an alert, before a message leaves, and when it has been taken and nobody has written that down. */
export const deaths = ['alert-written', 'before-send', 'sent'] as const;
type Death = (typeof deaths)[number];
type NodeId = (typeof nodeIds)[number];

/** What can happen. */
export type Action =
  | {
      readonly kind: 'condition';
      readonly node: NodeId;
      readonly subject: string;
      readonly status: 'true' | 'false' | 'unknown';
    }
  /** One that runs on that node ends, or a new one. */
  | {
      readonly kind: 'task';
      readonly node: NodeId;
      readonly job: string | null;
      readonly status: 'running' | 'completed' | 'failed' | 'timed_out';
    }
  | { readonly kind: 'silent' | 'heard'; readonly node: NodeId }
  /** The newest open incident. */
  | { readonly kind: 'acknowledge'; readonly minutes: number }
  | { readonly kind: 'silence'; readonly node: NodeId; readonly minutes: number }
  | { readonly kind: 'end-silences' | 'judge' | 'restart' }
  | { readonly kind: 'mood'; readonly receiver: (typeof receivers)[number]; readonly mood: Mood }
  | { readonly kind: 'pass'; readonly seconds: number }
  /** The collector dies at its next such moment, or after as many more. */
  | { readonly kind: 'doom'; readonly death: Death; readonly after: number };

const minuteMs = 60_000;
const webhook = { type: 'webhook', url: 'http://127.0.0.1:9/' };
const notifications = {
  notifiers: { pager: webhook, desk: webhook },
  subscriptions: [
    { name: 'pager', receiver: 'pager', events: ['all'], renotify_interval: '10m', group_window: 0 },
    { name: 'pager-n0', receiver: 'pager', matchers: { node: 'n0' }, group_window: 0 },
    { name: 'desk', receiver: 'desk', group_window: '30s' },
  ],
};

/** The nodes, the receivers and the time, around whichever collector lives, and the model that watches. */
export class World {
  readonly rig: AlertRig;
  readonly clock = new ManualClock(Date.now());
  readonly silent = new Set<string>();
  readonly moods = new Map<string, Mood>();
  readonly model = new ToldModel({
    pager: { renotifyMs: 10 * minuteMs, hearsAll: true },
    desk: { renotifyMs: 0, hearsAll: false },
  });
  #life: Life | undefined;
  #tasks = 0;
  readonly #running = new Map<string, string>();
  readonly #silences: string[] = [];

  constructor(rig: AlertRig) {
    this.rig = rig;
  }

  async begin(): Promise<void> {
    await this.rig.clear();
    for (const id of nodeIds) await this.rig.node(id);
    await this.#live();
  }

  async act(one: Action): Promise<void> {
    const now = this.clock.wallMs();
    switch (one.kind) {
      case 'condition':
        if (this.silent.has(one.node)) return;
        this.model.holds(
          alertOf(one.node, 'DiskPressure', one.subject),
          one.status === 'unknown' ? null : one.status === 'true',
        );
        return this.rig.condition(one.node, { condition: 'DiskPressure', subject: one.subject, status: one.status });
      case 'task':
        return this.#task(one);
      case 'silent':
        this.silent.add(one.node);
        return this.model.holds(alertOf(one.node, 'ComponentUnreachable'), true);
      case 'heard':
        this.silent.delete(one.node);
        this.model.holds(alertOf(one.node, 'ComponentUnreachable'), false);
        return this.rig.setNode(one.node, { status: 'online', lastHeardAt: new Date(now) });
      case 'acknowledge':
        return this.#acknowledge(one.minutes);
      case 'silence':
        return this.#silence(one.node, one.minutes);
      case 'end-silences':
        return this.#endSilences();
      case 'mood':
        this.moods.set(one.receiver, one.mood);
        return;
      case 'pass':
        return this.pass(one.seconds);
      case 'judge':
        return this.#judge(false);
      case 'restart':
        await this.#life?.end();
        return this.#live();
      case 'doom':
        return this.#life?.doom(one.death, one.after);
    }
  }

  async pass(seconds: number): Promise<void> {
    await this.#judge(false);
    for (const share of seconds > 60 ? [0.1, 0.4, 0.5] : [1]) await this.#tick(seconds * 1000 * share);
  }

  /** Everything in order again, until nothing is left to wait for: an hour of calm after flapping, the longest pause, a tick. */
  async rest(): Promise<void> {
    await this.#life?.end();
    await this.#live();
    for (const receiver of receivers) this.moods.set(receiver, 'well');
    await this.#endSilences();
    for (let waited = 0; waited < 30; waited += 1) await this.#tick(5 * minuteMs);
    // What the last tick promised.
    let left = await this.#waiting();
    for (let waited = 0; waited < 30 && left.length > 0; waited += 1) {
      await this.#tick(1000);
      left = await this.#waiting();
    }
    for (const { id, type, receiver } of left) this.model.violations.push(`to ${receiver}: ${type} ${id} still waits`);
    this.model.atRest(this.clock.wallMs());
    await this.#life?.end();
  }

  #waiting() {
    return this.rig.rows<{ id: string; type: string; receiver: string }>(
      "select id, type, receiver from notifications where state = 'pending'",
    );
  }

  async #tick(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.#judge(true);
  }

  async #judge(isTick: boolean): Promise<void> {
    await this.#life?.judge(isTick);
    if (this.#life?.isDead !== true) return;
    await this.#life.settled();
    await this.#life.end();
    await this.#live();
  }

  async #live(): Promise<void> {
    this.#life = new Life(this);
    await this.#life.begin();
    await this.#life.settled();
  }

  async #task({ node: nodeId, job, status }: Extract<Action, { kind: 'task' }>): Promise<void> {
    if (this.silent.has(nodeId)) return;
    if (status === 'running') {
      const id = this.#nextTask();
      this.#running.set(id, nodeId);
      return this.rig.taskStarted(nodeId, id, { job });
    }
    const at = this.clock.wallMs();
    const id = [...this.#running].find(([, of]) => of === nodeId)?.[0] ?? this.#nextTask();
    // A later run that ends well is the end of its job's failures.
    const ofJob = status === 'completed' ? null : job;
    const isKnown = this.#running.delete(id);
    await this.rig.taskEnded(nodeId, id, {
      status,
      ended_at: new Date(at).toISOString(),
      ...(isKnown ? {} : { job: ofJob }),
    });
    await this.#judge(false);
    this.model.taskEnded(id, { nodeId, isFailure: status !== 'completed', at });
  }

  #nextTask(): string {
    this.#tasks += 1;
    return `t${this.#tasks}`;
  }

  async #acknowledge(minutes: number): Promise<void> {
    await this.#judge(false);
    const from = this.clock.wallMs();
    const until = from + minutes * minuteMs;
    const [open] = await this.rig.rows<{ id: string }>(
      "select id from incidents where status = 'open' order by id desc limit 1",
    );
    if (open === undefined) return;
    const failed = await this.rig.rows<{ task_id: string }>(
      `select task_id from alerts where incident_id = '${open.id}' and condition = 'TaskFailed'`,
    );
    const { id } = open;
    await acknowledge(this.rig.db.drizzle, { id, by: 'ada', note: '', until: new Date(until) }, new Date(from));
    this.model.acknowledged(id, { from, until, taskIds: failed.map(({ task_id }) => task_id) });
  }

  async #silence(nodeId: string, minutes: number): Promise<void> {
    const from = this.clock.wallMs();
    const until = from + minutes * minuteMs;
    const { id } = await insertSilence(this.rig.db.drizzle, {
      id: newId(from),
      origin: 'person',
      author: 'ada',
      reason: 'maintenance',
      matchers: [{ key: 'node', patterns: [nodeId] }],
      startsAt: new Date(from),
      endsAt: new Date(until),
      createdAt: new Date(from),
    });
    this.#silences.push(id);
    await this.#life?.changed();
    this.model.silenced(nodeId, { from, until });
  }

  async #endSilences(): Promise<void> {
    const now = this.clock.wallMs();
    for (const id of this.#silences.splice(0)) await endSilence(this.rig.db.drizzle, { id }, new Date(now));
    await this.#life?.changed();
    this.model.silencesEnded(now);
  }
}

/** One collector, from its start to its end or death. */
class Life {
  isDead = false;
  readonly #world: World;
  readonly #alerting: ReturnType<typeof startAlerting>;
  #doom: { death: Death; after: number } | null = null;
  /** Attempts that its death left without an answer. */
  #cutOff = 0;

  constructor(world: World) {
    this.#world = world;
    const { rig, clock, silent } = world;
    const notifiers = new Map(receivers.map((receiver) => [receiver, this.#notifierOf(receiver)]));
    this.#alerting = startAlerting(rig, {
      notifications,
      engine: {
        clock,
        overdue: () => [...silent],
        onStep: (step) => {
          if (this.#isTimeFor(step)) throw new Error('the collector died');
        },
      },
      // The clock may run ahead of what is under way.
      deliverer: { notifiers, tickMs: 1000, leaseMs: 60 * minuteMs },
    });
  }

  async begin(): Promise<void> {
    await this.#alerting.policy.start();
    this.#alerting.deliverer.start();
  }

  doom(death: Death, after: number): void {
    this.#doom = { death, after };
  }

  changed(): Promise<void> {
    return this.#alerting.policy.refresh();
  }

  /** One round of judging, and all deliveries that follow from it at this instant. */
  async judge(isTick: boolean): Promise<void> {
    if (!this.isDead)
      await this.#alerting.engine.round({ isTick }).catch((error: unknown) => {
        if (!this.isDead) throw error;
      });
    await this.settled();
  }

  /** Nothing is under way but what death cut off. Each look at the database stands behind what was asked of it before. */
  async settled(): Promise<void> {
    let quiet = 0;
    await eventually(
      async () => {
        await this.#world.rig.rows('select 1');
        const inFlight = this.#alerting.deliverer.states().reduce((sum, one) => sum + one.inFlight, 0);
        quiet = inFlight === this.#cutOff ? quiet + 1 : 0;
        return quiet >= 2;
      },
      { everyMs: 0 },
    );
  }

  async end(): Promise<void> {
    // What a death cut off never ends.
    const stopped = this.#alerting[Symbol.asyncDispose]();
    if (!this.isDead) await stopped;
  }

  #isTimeFor(death: Death): boolean {
    if (this.#doom?.death !== death) return false;
    this.#doom.after -= 1;
    this.isDead ||= this.#doom.after < 0;
    return this.isDead;
  }

  #notifierOf(receiver: string): Notifier {
    return {
      deliver: async (body) => {
        if (this.isDead || this.#isTimeFor('before-send')) return this.#neverAnswered();
        const mood = this.#world.moods.get(receiver) ?? 'well';
        const isTaken = mood === 'well' || mood === 'late';
        const dies = this.#isTimeFor('sent');
        if (isTaken) this.#world.model.took(receiver, body, { isAnswered: mood === 'well' && !dies });
        if (mood === 'refuses') this.#world.model.refused(receiver, body);
        return dies ? this.#neverAnswered() : answerOf(mood, this.#world.clock.wallMs());
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  #neverAnswered(): Promise<DeliveryOutcome> {
    this.#cutOff += 1;
    return new Promise(() => undefined);
  }
}

function answerOf(mood: Mood, now: number): DeliveryOutcome {
  const status = { well: 204, fails: 500, busy: 429, refuses: 404, deaf: null, late: null }[mood];
  if (status === null) return judgeAnswer({ kind: 'failed', error: 'no answer in time' }, now);
  return judgeAnswer({ kind: 'status', status, retryAfter: mood === 'busy' ? '300' : undefined }, now);
}
