import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import type { AgentConfig } from '../config.ts';
import { findCgroup2Root } from '../proc/cgroup.ts';
import { createCgroupOomWatcher } from '../watchers/cgroup-oom.ts';
import { createContainersWatcher } from '../watchers/containers.ts';
import { findContainerSockets, socketAt } from '../watchers/containers-sockets.ts';
import { createJournalWatcher } from '../watchers/journal.ts';
import { createProcessExitsWatcher } from '../watchers/process-exits.ts';
import { defaultUnitExclude, defaultUnitInclude } from '../watchers/systemd/unit-globs.ts';
import { createSystemdWatcher } from '../watchers/systemd.ts';
import type { Watcher } from '../watchers/watcher.ts';

export interface SourcesExamination {
  readonly config: AgentConfig['tasks'];
  readonly uid: number;
  readonly runtimeDir: string | null;
  readonly clock: Clock;
  readonly root: string;
}

/** journalctl says what it may not show only when it has started. */
const settleMs = 1000;

/** Starts each of the agent's own watchers for a moment and asks it what it sees: the same answer as in service. */
export async function examineSources(examination: SourcesExamination): Promise<Finding[]> {
  const { clock, uid } = examination;
  const watchers = watchersOf(examination);
  const starting = new AbortController();
  try {
    await Promise.all(watchers.map((watcher) => watcher.start(starting.signal)));
    await clock.sleep(settleMs);
    return watchers.map((watcher) => findingOf(watcher.state(), uid));
  } finally {
    starting.abort();
    await Promise.all(watchers.map((watcher) => watcher.stop()));
  }
}

function watchersOf({ config, runtimeDir, clock, root }: SourcesExamination): Watcher[] {
  const log = pino({ level: 'silent' });
  const report = () => undefined;
  const cgroupRoot = findCgroup2Root(root);
  const units = {
    include: config.systemd.include ?? defaultUnitInclude,
    exclude: config.systemd.exclude ?? defaultUnitExclude,
  };
  const sockets = config.containers.sockets?.map(socketAt) ?? findContainerSockets(runtimeDir, []);
  return [
    createProcessExitsWatcher({ root, cgroupRoot, report, clock, log }),
    createCgroupOomWatcher({ cgroupRoot, report, clock, log }),
    createSystemdWatcher({ report, ...units, clock, log }),
    createJournalWatcher({
      report,
      ...units,
      logLines: 0,
      cursor: { load: async () => null, save: async () => undefined },
      clock,
      log,
    }),
    ...sockets.map((socket) =>
      createContainersWatcher({
        ...socket,
        include: [],
        exclude: [],
        logLines: 0,
        since: null,
        known: [],
        report,
        clock,
        log,
      }),
    ),
  ];
}

const results = { seeing: 'ok', degraded: 'warning', blind: 'failed', off: 'skipped' } as const;

/** What a watcher says of itself, as a finding; exported for its table of cures. */
export function findingOf({ name, state, reason }: SourceState, uid: number): Finding {
  const result = results[state];
  const isWell = result === 'ok' || result === 'skipped';
  return { check: name, result, says: reason ?? 'sees everything', fix: isWell ? null : cureOf(name, uid) };
}

const cures: Readonly<Record<string, string>> = {
  'process-exits':
    'without it the exit status of scopes stays unknown: run the agent as root or with CAP_NET_ADMIN, outside containers, or on Linux 6.15 or newer',
  'cgroup-oom':
    'boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1) and the memory controller (cgroup_enable=memory)',
  systemd: 'the agent reads the system bus: is dbus running, and /run/dbus/system_bus_socket there for it?',
  journal: 'add its user to the group: usermod -aG systemd-journal USER, then start the agent again',
  docker:
    'add its user to the group: usermod -aG docker USER (it may then do as root does), then start the agent again',
  podman: 'systemctl enable --now podman.socket, and let its user read it',
};

function cureOf(name: string, uid: number): string {
  const cure = cures[name] ?? 'see the reason';
  return uid === 0 || name === 'process-exits' ? cure : `${cure}; or run the agent as root`;
}
