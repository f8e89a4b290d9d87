import type { Cause, TaskStatus } from '@runnerwatch/shared/model/task.ts';

/** What must be told of an end. */
export interface Expected {
  readonly status: TaskStatus;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly cause: Cause;
}

/** What not every machine has: container engines, a memory controller. */
export type Need = 'docker' | 'podman' | 'memory';

/** One way to end. */
export interface Kind {
  readonly name: string;
  /** systemd keeps no exit status of a scope: one that ended unseen may be unknown, nothing else may. */
  readonly isScope: boolean;
  readonly needs?: Need;
  /** For the shell that begins it: `$N` is its name, `$S` how many seconds it lives, `$MS` the same in milliseconds, `$P` what runs in it. */
  readonly begin: string;
  /** For the shell inside, when its time has come; missing: it stays until somebody ends it. */
  readonly end?: string;
  readonly is: Expected;
}

const scope = 'systemd-run --quiet --scope --unit=$N -- $P';
const service = 'systemd-run --quiet --unit=$N -- $P';
const run = 'runnerwatch run --name $N -- $P';
// An engine's client may wait for ever for what died with a blow: conmon for its runtime, for one.
const patience = 'timeout -s KILL 180';
const box = `${patience} docker run --rm --name $N -v /opt/oracle:/opt/oracle -v /var/lib/oracle:/var/lib/oracle`;
const pod = `${patience} podman run --rm --network none --name $N -v /opt/oracle:/opt/oracle -v /var/lib/oracle:/var/lib/oracle`;
const code = (code: number): Expected => ({ status: 'failed', exitCode: code, signal: null, cause: 'exit_code' });
const well: Expected = { status: 'completed', exitCode: 0, signal: null, cause: 'success' };
const crashed: Expected = { status: 'failed', exitCode: null, signal: 'SIGSEGV', cause: 'signal' };
const killed: Expected = { status: 'killed', exitCode: null, signal: 'SIGKILL', cause: 'signal' };
const stopped: Expected = { status: 'killed', exitCode: null, signal: 'SIGTERM', cause: 'stopped_by_user' };
const late: Expected = { status: 'timed_out', exitCode: null, signal: 'SIGTERM', cause: 'timeout' };
const starved: Expected = { status: 'killed_oom', exitCode: null, signal: 'SIGKILL', cause: 'oom_limit' };
const hungry = `exec perl -e '$x = "x" x 200000000; sleep 60'`;

/** Every kind of end that a node of ours knows, by what is to be told of it. */
export const kinds: readonly Kind[] = [
  { name: 'scope-ok', isScope: true, begin: scope, end: 'exit 0', is: well },
  { name: 'scope-3', isScope: true, begin: scope, end: 'exit 3', is: code(3) },
  { name: 'scope-137', isScope: true, begin: scope, end: 'exit 137', is: code(137) },
  { name: 'scope-kill', isScope: true, begin: scope, end: 'kill -KILL $$', is: killed },
  { name: 'scope-segv', isScope: true, begin: scope, end: 'kill -SEGV $$', is: crashed },
  { name: 'scope-stop', isScope: true, begin: `${scope} & later systemctl stop $N.scope`, is: stopped },
  { name: 'service-ok', isScope: false, begin: service, end: 'exit 0', is: well },
  { name: 'service-7', isScope: false, begin: service, end: 'exit 7', is: code(7) },
  { name: 'service-segv', isScope: false, begin: service, end: 'kill -SEGV $$', is: crashed },
  { name: 'service-kill', isScope: false, begin: service, end: 'kill -KILL $$', is: killed },
  {
    name: 'service-late',
    isScope: false,
    begin: 'systemd-run --quiet --unit=$N -p RuntimeMaxSec=$S -- $P',
    is: late,
  },
  { name: 'service-stop', isScope: false, begin: `${service}; later systemctl stop $N.service`, is: stopped },
  { name: 'run-ok', isScope: false, begin: run, end: 'exit 0', is: well },
  { name: 'run-5', isScope: false, begin: run, end: 'exit 5', is: code(5) },
  { name: 'run-kill', isScope: false, begin: run, end: 'kill -KILL $$', is: killed },
  { name: 'run-late', isScope: false, begin: 'runnerwatch run --name $N --timeout ${MS}ms -- $P', is: late },
  {
    name: 'scope-oom',
    isScope: true,
    needs: 'memory',
    begin: 'systemd-run --quiet --scope --unit=$N -p MemoryMax=50M -p MemorySwapMax=0 -- $P',
    end: hungry,
    is: starved,
  },
  {
    name: 'service-oom',
    isScope: false,
    needs: 'memory',
    begin: 'systemd-run --quiet --unit=$N -p MemoryMax=50M -p MemorySwapMax=0 -- $P',
    end: hungry,
    is: starved,
  },
  { name: 'box-ok', isScope: false, needs: 'docker', begin: `${box} bb $P`, end: 'exit 0', is: well },
  { name: 'box-7', isScope: false, needs: 'docker', begin: `${box} bb $P`, end: 'exit 7', is: code(7) },
  {
    name: 'box-kill',
    isScope: false,
    needs: 'docker',
    begin: `${box} -d bb $P; later docker kill $N`,
    is: { ...stopped, signal: 'SIGKILL' },
  },
  {
    name: 'box-oom',
    isScope: false,
    needs: 'memory',
    begin: `${box} -m 20m bb $P`,
    end: 'exec tail -c 100m /dev/zero',
    is: starved,
  },
  { name: 'pod-ok', isScope: false, needs: 'podman', begin: `${pod} bb $P`, end: 'exit 0', is: well },
  { name: 'pod-7', isScope: false, needs: 'podman', begin: `${pod} bb $P`, end: 'exit 7', is: code(7) },
  {
    name: 'pod-kill',
    isScope: false,
    needs: 'podman',
    begin: `${pod} -d bb $P; later podman kill $N`,
    is: { ...stopped, signal: 'SIGKILL' },
  },
];
