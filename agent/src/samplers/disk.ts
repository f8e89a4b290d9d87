import { type StatsFs, statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { DiskUse } from '@runnerwatch/shared/model/sample.ts';
import { StandingKernelFile } from '../proc/kernel-file.ts';
import { parseMountInfo } from '../proc/mountinfo.ts';
import { type Disk, realDisks } from './real-disks.ts';
import type { Contribution, Sampler } from './sampler.ts';

/** The part of statfs(2) that is used here. */
export type FileSystemCounts = Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree'>;

export interface DiskSamplerOptions {
  readonly root: string;
  /** May wait for another machine; {@link statfs} by default. */
  readonly statRemote?: (mount: string) => Promise<FileSystemCounts>;
  /** Answers at once from the kernel's memory; statfsSync by default. */
  readonly statLocal?: (mount: string) => FileSystemCounts;
  /** How long a remote disk may take before it counts as unread. */
  readonly deadlineMs?: number;
}

/** Remote disks are asked once in this time: each answer may cost a round trip to a server that many nodes ask. */
const REMOTE_EVERY_MS = 10_000;
/** The thread pool has four threads. A question to a dead server keeps its thread until the server is back, and the spool must still get to its own disk. */
const MAX_OPEN_QUESTIONS = 2;
const MAX_DISKS = 64;

interface RemoteAnswer {
  askedAtMs: number;
  isOpen: boolean;
  use: DiskUse | null;
}

/**
 * Space and inodes of every real mounted disk. Local disks are read on the spot. Remote ones are asked in the
 * background and never waited for: each mount has at most one question open, and after the deadline it is unread until
 * it answers.
 */
export function createDiskSampler(options: DiskSamplerOptions): Sampler {
  const { root, statRemote = statfs, statLocal = statfsSync, deadlineMs = 5_000 } = options;
  const file = new StandingKernelFile(root, '/proc/self/mountinfo', 'many');
  const remote = new Map<string, RemoteAnswer>();
  let mounts: { text: string; disks: Disk[] } | null = null;
  let openQuestions = 0;

  function findDisks(text: string): Disk[] {
    if (mounts?.text !== text) {
      mounts = { text, disks: realDisks(parseMountInfo(text)).slice(0, MAX_DISKS) };
      const kept = new Set(mounts.disks.map(({ mount }) => mount));
      for (const [mount, answer] of remote) if (!kept.has(mount) && !answer.isOpen) remote.delete(mount);
    }
    return mounts.disks;
  }

  function ask(disk: Disk, answer: RemoteAnswer): void {
    openQuestions += 1;
    answer.isOpen = true;
    statRemote(disk.mount)
      .then((counts) => {
        answer.use = toDiskUse(disk, counts);
      })
      .catch(() => {
        answer.use = null;
      })
      .finally(() => {
        answer.isOpen = false;
        openQuestions -= 1;
      });
  }

  function readRemote(disk: Disk, nowMs: number): DiskUse | null {
    const answer = remote.get(disk.mount) ?? { askedAtMs: -Infinity, isOpen: false, use: null };
    remote.set(disk.mount, answer);
    if (!answer.isOpen && nowMs - answer.askedAtMs >= REMOTE_EVERY_MS && openQuestions < MAX_OPEN_QUESTIONS) {
      answer.askedAtMs = nowMs;
      ask(disk, answer);
    }
    const isLate =
      nowMs - answer.askedAtMs > REMOTE_EVERY_MS + deadlineMs ||
      (answer.isOpen && nowMs - answer.askedAtMs > deadlineMs);
    return isLate ? null : answer.use;
  }

  function readLocal(disk: Disk): DiskUse | null {
    try {
      return toDiskUse(disk, statLocal(disk.mount));
    } catch {
      return null;
    }
  }

  return {
    name: 'disk',
    sample({ monotonicMs }): Contribution {
      const text = file.read((whole) => whole);
      if (text === null) return {};
      const disks: DiskUse[] = [];
      const unreadDisks: string[] = [];
      for (const disk of findDisks(text)) {
        const use = disk.isRemote ? readRemote(disk, monotonicMs) : readLocal(disk);
        if (use === null) unreadDisks.push(disk.mount);
        else if (use.total_bytes > 0) disks.push(use);
      }
      return { sample: { disks }, unreadDisks };
    },
    close: () => file.close(),
  };
}

/** As df(1) counts: what is reserved for root is neither used nor to be had by a user, and a part of a percent is told. */
function toDiskUse({ mount, device, fstype }: Disk, counts: FileSystemCounts): DiskUse {
  const usedBlocks = counts.blocks - counts.bfree;
  const reachableBlocks = usedBlocks + counts.bavail;
  return {
    mount,
    device,
    fstype,
    total_bytes: counts.blocks * counts.bsize,
    used_bytes: usedBlocks * counts.bsize,
    available_bytes: counts.bavail * counts.bsize,
    used_percent: reachableBlocks > 0 ? (usedBlocks / reachableBlocks) * 100 : 0,
    inodes_used_percent: counts.files > 0 ? ((counts.files - counts.ffree) / counts.files) * 100 : null,
  };
}
