import type { KernelOom } from '../watcher.ts';

/**
 * The kernel's one-line account of an OOM kill (mm/oom_kill.c, dump_oom_summary):
 * `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=…,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=perl,pid=7,uid=0`;
 * without a limit in play it says `global_oom` in place of `oom_memcg=…`. Null for any other line.
 */
export function parseKernelOom(message: string, at: number): KernelOom | null {
  const start = message.indexOf('oom-kill:constraint=');
  if (start === -1) return null;
  const text = message.slice(start);
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
    at,
  };
}
