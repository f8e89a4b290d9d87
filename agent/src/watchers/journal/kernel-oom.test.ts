import { describe, expect, it } from 'vitest';
import type { KernelOom } from '../watcher.ts';
import { KernelOomReader } from './kernel-oom.ts';

const MiB = 1024 ** 2;

function readAll(text: string): KernelOom[] {
  const reader = new KernelOomReader();
  const accounts = text
    .trim()
    .split('\n')
    .map((line) => reader.read(line, 7));
  return [...accounts, reader.flush()].filter((account) => account !== null);
}

const atLimit = `
stress invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
CPU: 1 PID: 812 Comm: stress Not tainted 6.1.0-39-cloud-amd64 #1  Debian 6.1.148-1
memory: usage 51200kB, limit 51200kB, failcnt 34
swap: usage 0kB, limit 9007199254740988kB, failcnt 0
Memory cgroup stats for /system.slice/t2.scope:
anon 52166656
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    811]     0   811      620      210    45056        0             0 sh
[    812]     0   812    26250    12750   147456        0             0 stress
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=t2.scope,mems_allowed=0,oom_memcg=/system.slice/t2.scope,task_memcg=/system.slice/t2.scope,task=stress,pid=812,uid=0
Memory cgroup out of memory: Killed process 812 (stress) total-vm:105000kB, anon-rss:50000kB, file-rss:1000kB, shmem-rss:200kB, UID:0 pgtables:144kB oom_score_adj:0
`;

/** Since Linux 6.8 the table says of what kind the memory is. */
const wholeNode = `
apt invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[    301]     0   301     8040      960      480      480         0    94208        0         -1000 systemd-udevd
[    901]  1000   901  9000000  7864320  7864000      320         0 63000000        0             0 pt main thread
[    955]  1000   955   300000   100000   100000        0         0   900000        0             0 apt
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice/user-1000.slice/session-2.scope,task=apt,pid=955,uid=1000
Out of memory: Killed process 955 (apt) total-vm:1200000kB, anon-rss:400000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:900kB oom_score_adj:0
`;

describe("the kernel's account of an OOM kill", () => {
  it('says who was over which limit, and how much the killed process had', () => {
    expect(readAll(atLimit)).toEqual([
      {
        kind: 'kernel_oom',
        pid: 812,
        comm: 'stress',
        cgroup: '/system.slice/t2.scope',
        scope: 'cgroup',
        limitedCgroup: '/system.slice/t2.scope',
        usageBytes: 50 * MiB,
        limitBytes: 50 * MiB,
        rssBytes: 50_200 * 1024,
        largest: { pid: 812, comm: 'stress', rssBytes: 12_750 * 4096 },
        at: 7,
      },
    ]);
  });

  it('names the largest process of a whole node that ran out, which need not be the killed one', () => {
    expect(readAll(wholeNode)).toMatchObject([
      {
        pid: 955,
        scope: 'host',
        limitedCgroup: null,
        usageBytes: null,
        limitBytes: null,
        largest: { pid: 901, comm: 'pt main thread', rssBytes: 30 * 1024 * MiB },
      },
    ]);
  });

  it('keeps two kills apart, and tells the first when the second begins', () => {
    const cutShort = atLimit.trim().split('\n').slice(0, -1).join('\n');

    expect(readAll(`${cutShort}\n${wholeNode.trim()}`)).toMatchObject([
      { pid: 812, rssBytes: null, limitBytes: 50 * MiB },
      { pid: 955, limitBytes: null, largest: { pid: 901 } },
    ]);
  });

  it('makes do with the one line that names the process', () => {
    const line = atLimit.split('\n').find((one) => one.startsWith('oom-kill:')) ?? '';

    expect(readAll(line.replace('task=stress', 'task=stress,vm'))).toMatchObject([
      { pid: 812, comm: 'stress,vm', usageBytes: null, rssBytes: null, largest: null },
    ]);
  });

  it('takes no limit for none, not for a number', () => {
    expect(readAll(atLimit.replace('limit 51200kB', 'limit 9007199254740988kB'))[0]?.limitBytes).toBeNull();
  });

  it.each([
    'oom_reaper: reaped process 812 (stress), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB',
    'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)',
    'Memory cgroup out of memory: Killed process 812 (stress)',
    '[    812]     0   812    26250    12750   147456        0             0 stress',
    'eth0: link up',
    '',
  ])('is not in %j', (line) => {
    expect(readAll(line)).toEqual([]);
  });
});
