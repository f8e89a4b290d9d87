import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { post } from '../post.ts';
import type { HookConfig } from './config.ts';
import { eventsOf, type HookNode, hookDocument } from './document.ts';
import type { HookOutcome } from './outcome.ts';
import { runProgram } from './program.ts';

export interface HookOptions {
  readonly hooks: readonly HookConfig[];
  readonly node: HookNode;
  /** The part of `process` that is needed. */
  readonly system: {
    readonly env: Readonly<Record<string, string | undefined>>;
    kill(pid: number, signal: string): unknown;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Hooks at work at the same time. */
const runningMax = 4;
/** Beyond this an end is passed over, said and counted: hooks are an addition to the spool, not a second one. */
const waitingMax = 200;
const rememberedEnds = 1000;
/** For hooks at work when the agent stops. */
const stopMs = 2000;

/** What a program needs of the environment to find its way, and no more: the agent's may hold its token. */
const passedOn = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ'];

interface Call {
  readonly hook: HookConfig;
  readonly index: number;
  readonly document: string;
}

/**
 * Tells programs and addresses of this node that a task ended: after the end is on disk, at most a few at a time, each once
 * and within its time. Nothing waits for a hook, and one that fails is logged, counted and not tried again.
 */
export class Hooks implements AsyncDisposable {
  readonly #options: HookOptions;
  readonly #waiting: Call[] = [];
  readonly #running = new Set<Promise<void>>();
  /** The status told of each end: an end proven later is told again only when it has become another. */
  readonly #told = new Map<string, string>();
  readonly #stopping = new AbortController();
  readonly #failures = new Map<number, string>();
  #failed = 0;
  #passedOver = 0;
  #isFull = false;

  constructor(options: HookOptions) {
    this.#options = options;
  }

  /** How many calls failed, and how many were passed over, since the start. */
  get counts(): { readonly failed: number; readonly passedOver: number } {
    return { failed: this.#failed, passedOver: this.#passedOver };
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** This is on disk. */
  take(body: EventBody, atMs: number): void {
    const { hooks, node } = this.#options;
    if (hooks.length === 0 || body.kind !== 'task_ended' || this.#stopping.signal.aborted) return;
    const { status } = body.ending;
    if (this.#told.get(body.task.id) === status) return;
    this.#remember(body.task.id, status);
    const events = eventsOf(status);
    const due = hooks.flatMap((hook, index) =>
      hook.events.some((event) => events.includes(event)) ? [{ hook, index }] : [],
    );
    if (due.length === 0) return;
    const document = hookDocument(body, node, atMs);
    for (const call of due) this.#enqueue({ ...call, document });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = this.#waiting.splice(0).length;
    if (left > 0) this.#options.log.warn({ passed_over: left }, 'ends were not told to hooks: the agent stops');
    const late = new AbortController();
    await Promise.race([Promise.all(this.#running), this.#options.clock.sleep(stopMs, late.signal)]);
    late.abort();
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  #enqueue(call: Call): void {
    if (this.#waiting.length >= waitingMax) {
      this.#passedOver += 1;
      if (!this.#isFull) this.#options.log.warn({ waiting: waitingMax }, 'more tasks end than hooks can be told of');
      this.#isFull = true;
      return;
    }
    this.#waiting.push(call);
    this.#next();
  }

  #next(): void {
    while (this.#running.size < runningMax) {
      const call = this.#waiting.shift();
      if (call === undefined) break;
      const running = this.#call(call).finally(() => {
        this.#running.delete(running);
        this.#next();
      });
      this.#running.add(running);
    }
    if (this.#isFull && this.#waiting.length === 0) {
      this.#isFull = false;
      this.#options.log.warn({ passed_over: this.#passedOver }, 'hooks are told of every end again');
    }
  }

  async #call({ hook, index, document }: Call): Promise<void> {
    const { system, clock, log } = this.#options;
    const { exec, webhook, timeout: timeoutMs } = hook;
    const { signal } = this.#stopping;
    const outcome =
      exec === undefined
        ? await post({ url: webhook ?? '', body: document, timeoutMs, signal })
        : await runProgram({
            command: exec,
            input: document,
            environment: Object.fromEntries(passedOn.map((name) => [name, system.env[name]])),
            timeoutMs,
            signal,
            kill: (pid, name) => system.kill(pid, name),
            clock,
          }).catch((error: unknown): HookOutcome => ({ kind: 'failed', reason: String(error) }));
    const before = this.#failures.get(index);
    if (outcome.kind === 'done') {
      this.#failures.delete(index);
      if (before !== undefined) log.info({ hook: index + 1, failed: this.#failed }, 'a hook works again');
      return;
    }
    this.#failed += 1;
    this.#failures.set(index, outcome.reason);
    if (before !== outcome.reason)
      log.warn({ hook: index + 1, program: exec?.[0], reason: outcome.reason, failed: this.#failed }, 'a hook failed');
  }

  #remember(id: string, status: string): void {
    this.#told.set(id, status);
    if (this.#told.size <= rememberedEnds) return;
    const [oldest] = this.#told.keys();
    if (oldest !== undefined) this.#told.delete(oldest);
  }
}
