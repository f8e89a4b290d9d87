import { type GetOutcome, getJson } from './http.ts';
import { JsonItems } from './json-items.ts';
import { parseTask } from './parse-task.ts';
import type { KnownTasks, PollOutcome, Scheduler, SchedulerTask } from './scheduler.ts';

export interface ListingOptions extends Pick<Scheduler, 'type' | 'runsIn'> {
  /** Of its host. */
  readonly url: string;
  readonly token: string | null;
  /** Where below the address the API may be, tried in turn. */
  readonly prefixes: readonly string[];
}

const pageSize = 200;
const pagesMax = 25;
/** Open tasks on no page that are asked for one by one in a look; the others have their turn in the next. */
const singlesMax = 20;

/**
 * Reads the tasks of a HakuRiver or KohakuRiver host. Both list by submission, newest first; KohakuRiver and the later
 * HakuRiver in pages (`limit`, `offset`, `status`), the early HakuRiver all at once whatever is asked. So a look is:
 *   pages of the newest, until one holds nothing that is not known
 *   pages of what runs
 *   one by one, those that were open and are on none of these
 */
export function createTaskListing(options: ListingOptions): Scheduler {
  let prefix: string | null = null;
  let turn = 0;
  return {
    type: options.type,
    runsIn: options.runsIn,
    poll: async (known, { signal }) => {
      const look = new Look(options, known, signal);
      const first = await findFirstPage(look, prefix === null ? options.prefixes : [prefix]);
      if (first.kind === 'failed') {
        if (first.isElsewhere) prefix = null;
        return first;
      }
      prefix = first.prefix;
      turn += 1;
      return look.goOn(first, turn);
    },
  };
}

interface Page {
  readonly kind: 'page';
  readonly prefix: string;
  readonly count: number;
  /** How many of its tasks this look had not met. */
  readonly fresh: number;
  /** How many of its tasks no look has met. */
  readonly unknown: number;
}
type Failed = Extract<GetOutcome, { kind: 'failed' }>;

async function findFirstPage(look: Look, prefixes: readonly string[]): Promise<Page | Failed> {
  let failure: Failed | null = null;
  for (const prefix of prefixes) {
    const page = await look.page(prefix, { offset: 0 });
    if (page.kind === 'page') return page;
    if (!page.isElsewhere) return page;
    failure ??= page;
  }
  return failure ?? { kind: 'failed', reason: 'there is no address to ask', isElsewhere: true, status: null };
}

class Look {
  readonly #options: ListingOptions;
  readonly #known: KnownTasks;
  readonly #signal: AbortSignal;
  readonly #tasks = new Map<string, SchedulerTask>();

  constructor(options: ListingOptions, known: KnownTasks, signal: AbortSignal) {
    this.#options = options;
    this.#known = known;
    this.#signal = signal;
  }

  async goOn(first: Page, turn: number): Promise<PollOutcome> {
    const { prefix } = first;
    const isWhole = first.count > pageSize;
    if (!isWhole) {
      const failure = (await this.#following(first)) ?? (await this.#running(prefix));
      if (failure !== null) return failure;
    }
    const missing = this.#known.open().filter((taskId) => !this.#tasks.has(taskId));
    if (isWhole) return { kind: 'read', tasks: [...this.#tasks.values()], gone: missing };
    const gone: string[] = [];
    const start = missing.length <= singlesMax ? 0 : (turn * singlesMax) % missing.length;
    for (const taskId of missing.slice(start, start + singlesMax)) {
      const answer = await this.#single(prefix, taskId);
      if (answer === 'gone') gone.push(taskId);
      else if (answer !== null) return answer;
    }
    return { kind: 'read', tasks: [...this.#tasks.values()], gone };
  }

  async page(prefix: string, query: { offset: number; status?: string }): Promise<Page | Failed> {
    const counts = { count: 0, fresh: 0, unknown: 0 };
    let hasNonsense = false;
    const items = new JsonItems((text) => {
      const task = parseTask(text);
      counts.count += 1;
      if (task === null || task.taskId === '') hasNonsense = true;
      else {
        if (!this.#tasks.has(task.taskId)) counts.fresh += 1;
        if (!this.#known.isKnown(task.taskId)) counts.unknown += 1;
        this.#tasks.set(task.taskId, task);
      }
    });
    const { offset, status } = query;
    const path = `/tasks?${status === undefined ? '' : `status=${status}&`}limit=${pageSize}&offset=${offset}`;
    const outcome = await this.#get(prefix + path, (piece) => items.push(piece));
    if (outcome.kind === 'failed') return outcome;
    if (!items.isComplete) return { ...broken, reason: 'the answer ends in the middle' };
    if (hasNonsense && counts.fresh === 0) return { ...broken, reason: 'the answer holds no tasks' };
    return { kind: 'page', prefix, ...counts };
  }

  async #following(first: Page): Promise<Failed | null> {
    let page = first;
    for (
      let number = 1;
      number < pagesMax && page.count === pageSize && page.fresh > 0 && page.unknown > 0;
      number += 1
    ) {
      const next = await this.page(first.prefix, { offset: number * pageSize });
      if (next.kind === 'failed') return next;
      page = next;
    }
    return null;
  }

  async #running(prefix: string): Promise<Failed | null> {
    for (let number = 0; number < pagesMax; number += 1) {
      const page = await this.page(prefix, { offset: number * pageSize, status: 'running' });
      if (page.kind === 'failed') return page;
      if (page.count !== pageSize || (number > 0 && page.fresh === 0)) return null;
    }
    return null;
  }

  async #single(prefix: string, taskId: string): Promise<'gone' | Failed | null> {
    let text = '';
    const outcome = await this.#get(`${prefix}/status/${encodeURIComponent(taskId)}`, (piece) => {
      text += piece;
      if (text.length > 1024 * 1024) throw new Error('a task is not that long');
    });
    if (outcome.kind === 'failed') return outcome.status === 404 ? 'gone' : outcome;
    const task = parseTask(text);
    if (task?.taskId === taskId) this.#tasks.set(taskId, task);
    return null;
  }

  #get(path: string, onText: (piece: string) => void): Promise<GetOutcome> {
    const { url, token } = this.#options;
    return getJson({ url: new URL(url.replace(/\/+$/, '') + path), token, signal: this.#signal, onText });
  }
}

const broken = { kind: 'failed', isElsewhere: false, status: null } as const;
