import type { KernelOom, OomProcess } from '../watcher.ts';

/**
 * The kernel's account of an OOM kill, put together from its lines (mm/oom_kill.c; they come under one lock, so never mixed
 * with those of another kill):
 *
 *   memory: usage 51200kB, limit 51200kB, failcnt 34          only for a limit: of the group that reached it
 *   [  pid  ]   uid  tgid total_vm      rss … name            the table of candidates, values in pages
 *   [    812]     0   812    26250    12500 … stress
 *   oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/a,task_memcg=/a/b,task=stress,pid=812,uid=0
 *   Memory cgroup out of memory: Killed process 812 (stress) total-vm:105000kB, anon-rss:50000kB, file-rss:12kB, …
 *
 * Without a limit in play the fourth says `global_oom` in place of `oom_memcg=…`. That line alone makes an account; the last
 * one follows it, so the account is held until then or the next {@link flush}.
 */
export class KernelOomReader {
  readonly #pageBytes: number;
  #memory: { readonly usageBytes: number; readonly limitBytes: number | null } | null = null;
  #columns: { readonly count: number; readonly rss: number } | null = null;
  #largest: OomProcess | null = null;
  #held: KernelOom | null = null;

  constructor(pageBytes = 4096) {
    this.#pageBytes = pageBytes;
  }

  get isHolding(): boolean {
    return this.#held !== null;
  }

  /** The account that this line completes, or that it shows to be complete. */
  read(message: string, at: number): KernelOom | null {
    if (message.includes(' invoked oom-killer: ')) return this.#begin();
    if (message.includes('oom-kill:constraint=')) return this.#hold(parseSummary(message, at));
    const killed = parseKilled(message);
    if (killed !== null) return this.#complete(killed);
    this.#memory = parseMemory(message) ?? this.#memory;
    this.#row(message);
    return null;
  }

  flush(): KernelOom | null {
    const held = this.#held;
    this.#held = null;
    return held;
  }

  #begin(): KernelOom | null {
    this.#memory = null;
    this.#columns = null;
    this.#largest = null;
    return this.flush();
  }

  #hold(account: KernelOom | null): KernelOom | null {
    if (account === null) return null;
    const before = this.flush();
    this.#held = {
      ...account,
      usageBytes: account.scope === 'cgroup' ? (this.#memory?.usageBytes ?? null) : null,
      limitBytes: account.scope === 'cgroup' ? (this.#memory?.limitBytes ?? null) : null,
      largest: this.#largest,
    };
    return before;
  }

  #complete({ pid, rssBytes }: { pid: number; rssBytes: number }): KernelOom | null {
    const account = this.flush();
    return account?.pid === pid ? { ...account, rssBytes } : account;
  }

  #row(message: string): void {
    const header = /\[\s*pid\s*\]\s+(uid\s.*\sname)\s*$/.exec(message)?.[1];
    if (header !== undefined) {
      const names = header.split(/\s+/);
      this.#columns = { count: names.length, rss: names.indexOf('rss') };
      return;
    }
    if (this.#columns === null) return;
    const [, pid, rest] = /\[\s*(\d+)\]\s+(\d+\s.*)$/.exec(message) ?? [];
    if (pid === undefined || rest === undefined) return;
    const values = rest.trim().split(/\s+/);
    const rssBytes = Number(values[this.#columns.rss]) * this.#pageBytes;
    // A command name may hold blanks: it is everything from its column on.
    const comm = values.slice(this.#columns.count - 1).join(' ');
    if (rssBytes > (this.#largest?.rssBytes ?? 0)) this.#largest = { pid: Number(pid), comm, rssBytes };
  }
}

function parseSummary(message: string, at: number): KernelOom | null {
  const text = message.slice(message.indexOf('oom-kill:constraint='));
  const cgroup = /,task_memcg=(.*?),task=/.exec(text)?.[1];
  // A command name may hold commas; the pid is the last one.
  const who = /,task=(.*),pid=(\d+),uid=\d+\s*$/.exec(text);
  if (cgroup === undefined || who === null) return null;
  const limitedCgroup = /,oom_memcg=(.*?),task_memcg=/.exec(text)?.[1] ?? null;
  return {
    kind: 'kernel_oom',
    pid: Number(who[2]),
    comm: who[1] ?? null,
    cgroup,
    scope: limitedCgroup === null ? 'host' : 'cgroup',
    limitedCgroup,
    usageBytes: null,
    limitBytes: null,
    rssBytes: null,
    largest: null,
    at,
  };
}

/** PAGE_COUNTER_MAX in kilobytes stands for no limit. */
const unlimitedKb = 2 ** 43;

function parseMemory(message: string): { usageBytes: number; limitBytes: number | null } | null {
  const [, usage, limit] = /\bmemory: usage (\d+)kB, limit (\d+)kB, failcnt \d+/.exec(message) ?? [];
  if (usage === undefined) return null;
  return { usageBytes: Number(usage) * 1024, limitBytes: Number(limit) > unlimitedKb ? null : Number(limit) * 1024 };
}

/** Anonymous and shared pages are what its death gives back; file pages the kernel could have dropped without. */
function parseKilled(message: string): { pid: number; rssBytes: number } | null {
  const [, pid, rest] = /\bKilled process (\d+) \(.*\) total-vm:\d+kB, (.*)$/.exec(message) ?? [];
  if (pid === undefined) return null;
  const kilobytes = (name: string) => Number(new RegExp(`${name}:(\\d+)kB`).exec(rest ?? '')?.[1] ?? 0);
  return { pid: Number(pid), rssBytes: (kilobytes('anon-rss') + kilobytes('shmem-rss')) * 1024 };
}
