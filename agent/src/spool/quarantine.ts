import { type FileHandle, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Lane } from '@runnerwatch/shared/model/event.ts';
import { codeOf, moveAside, readUpTo } from './files.ts';
import type { ReportProblem } from './problem.ts';

const maxKeptFiles = 256;
const maxKeptBytes = 16 * 1024 * 1024;

interface Damage {
  readonly lane: Lane;
  readonly file: string;
  readonly handle: FileHandle;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Records lost with it, at most. */
  readonly records: number;
}

/** Where bytes go that the spool cannot use and must not destroy. Each spot is kept and reported once. */
export class Quarantine {
  readonly folder: string;
  readonly #report: ReportProblem;
  readonly #known = new Set<string>();
  #keptBytes = 0;
  #damagedRecords = 0;

  constructor(folder: string, report: ReportProblem) {
    this.folder = folder;
    this.#report = report;
  }

  /** Records found damaged since the agent started. */
  get damagedRecords(): number {
    return this.#damagedRecords;
  }

  async keep(damage: Damage): Promise<void> {
    const spot = `${damage.lane}-${basename(damage.file)}-${damage.offset}`;
    if (this.#known.has(spot)) return;
    this.#known.add(spot);
    this.#damagedRecords += damage.records;
    const kept = await this.#copy(damage, join(this.folder, `${spot}.bin`));
    if (kept === 'kept before') return;
    const { lane, file, offset, sizeBytes, records } = damage;
    this.#report({ kind: 'damaged', lane, file, offset, sizeBytes, records, quarantine: kept });
  }

  /** Moves a whole odd file here; null when it cannot be moved and stays where it is. */
  async take(path: string): Promise<string | null> {
    try {
      return await moveAside(path, this.folder);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return null;
    }
  }

  async #copy({ handle, offset, sizeBytes }: Damage, path: string): Promise<string | null> {
    if (this.#known.size > maxKeptFiles || this.#keptBytes + sizeBytes > maxKeptBytes) return null;
    try {
      await mkdir(this.folder, { recursive: true });
      await writeFile(path, await readUpTo(handle, offset, sizeBytes), { flag: 'wx', mode: 0o600 });
      this.#keptBytes += sizeBytes;
      return path;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'kept before';
      if (codeOf(error) === undefined) throw error;
      return null;
    }
  }
}
