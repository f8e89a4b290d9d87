import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroup2Root } from '../../agent/src/proc/cgroup.ts';
import { eventually } from './eventually.ts';
import { haveRight } from './tool.ts';

/** Hand-made cgroups of the machine the tests run on, named as systemd would name units. */
export interface TestCgroups {
  readonly root: string;
  /** Makes `NAME` below the tests' own slice; the path as below the cgroup2 mount. */
  make(name: string): string;
  /** Runs a command that moves itself into the cgroup first, as systemd-run does, and then execs; its input stays open. */
  run(cgroup: string, command: readonly string[]): ChildProcess;
  remove(cgroup: string): void;
  removeAll(): Promise<void>;
}

/** Null where this user may not make cgroups, or move processes into them. */
export function testCgroups(): TestCgroups | null {
  const made = makeSlice();
  haveRight(made !== null, 'right to make cgroups: run the tests as root, with a writable cgroup2 file system mounted');
  if (made === null) return null;
  const { root, slice } = made;
  return {
    root,
    make: (name) => {
      mkdirSync(join(root, slice, name));
      return `${slice}/${name}`;
    },
    run: (cgroup, command) =>
      spawn('/bin/sh', ['-c', 'echo $$ > "$0"; exec "$@"', join(root, cgroup, 'cgroup.procs'), ...command], {
        stdio: ['pipe', 'ignore', 'inherit'],
      }),
    remove: (cgroup) => rmdirSync(join(root, cgroup)),
    removeAll: () => eventually(() => removeTree(join(root, slice))).then(() => undefined),
  };
}

function makeSlice(): { root: string; slice: string } | null {
  const root = findCgroup2Root('/');
  const slice = `/rwtest-${process.pid}-${Math.random().toString(36).slice(2, 8)}.slice`;
  if (root === null) return null;
  try {
    mkdirSync(join(root, slice));
    return { root, slice };
  } catch {
    return null;
  }
}

function removeTree(path: string): boolean {
  if (!existsSync(path)) return true;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  for (const pid of readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
    process.kill(Number(pid), 'SIGKILL');
  rmdirSync(path);
  return true;
}
