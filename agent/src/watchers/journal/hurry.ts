import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setTimeout as later } from 'node:timers';
import { sparing } from '../../proc/descriptors.ts';

const hurryForMs = 120;
const shortestMs = 1;

/**
 * Makes a following journalctl look at once. journald tells followers of new entries only four times a second (its
 * post-change timer); they watch the journal's folder by inotify(7), where a new time stamp on the file counts as a change.
 * Setting it to now, which is when the file did change, brings entries within a millisecond (370 ms without, systemd 252).
 */
export class JournalHurry {
  readonly #root: string;
  #file: string | null | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = 0;
  #touchedMs = 0;

  /** `root`: `/`, or where a captured machine lies. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * For the next tenth of a second, every millisecond at first and less and less often: what is late already may be a quarter
   * later. Where the file is not ours to touch, nothing happens, and entries come as they do.
   */
  hurry(): void {
    this.#file ??= findSystemJournal(this.#root);
    this.#sinceMs = performance.now();
    if (this.#sinceMs - this.#touchedMs >= shortestMs) this.#touch();
    else this.#touchIn(shortestMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #touchIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = later(() => this.#touch(), ms);
  }

  #touch(): void {
    const elapsedMs = performance.now() - this.#sinceMs;
    if (this.#file == null || elapsedMs > hurryForMs) return;
    this.#touchedMs = performance.now();
    this.#touchIn(Math.max(shortestMs, elapsedMs / 4));
    try {
      const now = new Date();
      utimesSync(this.#file, now, now);
    } catch (error) {
      // Not our file (EPERM, EACCES), or rotated away at this moment and looked for again.
      this.#file = (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null;
    }
  }
}

/** The file journald writes to: kept (`/var/log/journal`) or volatile (`/run/log/journal`), systemd-journald.service(8). */
function findSystemJournal(root: string): string | null {
  try {
    const machine = sparing(() => readFileSync(join(root, 'etc/machine-id'), 'utf8')).trim();
    const files = ['var/log/journal', 'run/log/journal'].map((folder) => join(root, folder, machine, 'system.journal'));
    return files.find((file) => existsSync(file)) ?? null;
  } catch {
    return null;
  }
}
