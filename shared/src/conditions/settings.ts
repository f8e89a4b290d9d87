/** When a condition fires and when it ends. Firing needs strictly more than `threshold`; ending needs `clear` or less. */
export interface Level {
  readonly threshold: number;
  /** At most the threshold; the space between keeps a value that hovers from flapping. */
  readonly clear: number;
  /** How long the value must stay above the threshold before it fires; 0: the first reading above it fires. */
  readonly forMs: number;
}

export interface ConditionSettings {
  /** Percent of memory that is not available. */
  readonly memory: Level;
  /** One-minute load in multiples of the number of CPUs. */
  readonly load: Level;
  /** Percent of a disk's space, every disk on its own. */
  readonly disk: Level;
  /** Percent of a disk's inodes. */
  readonly inode: Level;
  readonly processRules: readonly ProcessRule[];
  readonly self: ProcessLimits;
}

/** Null: not judged. */
export interface ProcessLimits {
  /** Resident memory of one process. */
  readonly memoryPressureBytes: number | null;
  /** Percent of one core over the last interval; above 100 for a process of several busy threads. */
  readonly highCpuPercent: number | null;
  readonly forMs: number;
}

export interface ProcessRule extends ProcessLimits {
  readonly match: ProcessMatch;
}

/** Which processes a rule speaks of. In every pattern `*` stands for any text and `?` for one character. */
export interface ProcessMatch {
  /**
   * `command`: the kernel's name of the process (15 bytes at most) or the last part of its first argument.
   * `command_line`: anywhere in the arguments, joined by blanks. `unit`: the service or scope it runs in.
   * `cgroup`: its path below the cgroup mount, or a folder above it.
   */
  readonly by: 'command' | 'command_line' | 'unit' | 'cgroup';
  readonly pattern: string;
  /** The rule as it was written: the subject of its conditions. */
  readonly text: string;
}

const CLEAR_POINTS = 5;
const CLEAR_SHARE = 0.9;

/**
 * Fires the moment a reading is above its threshold: a full disk or a runaway load is worth knowing at once, and the
 * clear level, not a delay, is what stops flapping.
 */
export const defaultSettings: ConditionSettings = {
  memory: percentLevel({ threshold: 90 }),
  load: ratioLevel({ threshold: 2 }),
  disk: percentLevel({ threshold: 90 }),
  inode: percentLevel({ threshold: 90 }),
  processRules: [],
  self: { memoryPressureBytes: null, highCpuPercent: null, forMs: 0 },
};

export interface LevelChoice {
  readonly threshold: number;
  readonly clear?: number | undefined;
  readonly forMs?: number | undefined;
}

/** Percent: unless chosen, it clears five points below the threshold (but never below half of it). */
export function percentLevel({ threshold, clear, forMs }: LevelChoice): Level {
  return { threshold, clear: clear ?? Math.max(threshold - CLEAR_POINTS, threshold / 2), forMs: forMs ?? 0 };
}

/** Multiples, bytes and the like: unless chosen, it clears at nine tenths of the threshold. */
export function ratioLevel({ threshold, clear, forMs }: LevelChoice): Level {
  return { threshold, clear: clear ?? threshold * CLEAR_SHARE, forMs: forMs ?? 0 };
}

/**
 * A rule's match as people write it: `python3` (a command), or led by its kind: `command:python3`,
 * `command_line:train.py --gpu`, `unit:nginx.service`, `cgroup:/user.slice`. Null when nothing is left to match.
 */
export function parseProcessMatch(text: string): ProcessMatch | null {
  const [, kind, rest] = /^(command|command_line|unit|cgroup):\s*(.*)$/s.exec(text.trim()) ?? [];
  const pattern = (rest ?? text).trim();
  return pattern === '' ? null : { by: matchKinds.find((by) => by === kind) ?? 'command', pattern, text: text.trim() };
}

const matchKinds = ['command', 'command_line', 'unit', 'cgroup'] as const;
