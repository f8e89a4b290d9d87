import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { readSmallFile, writeSmallFile } from './small-file.ts';

export interface Life {
  readonly previous: PreviousLife;
  /** Marks it as ended by a stop. */
  end(): void;
}

export interface PreviousLife {
  readonly ended: 'none' | 'clean' | 'killed' | 'rebooted';
  /** systemd's id of its unit's run; null when it was no unit's main process, or that is not known. */
  readonly invocationId: string | null;
  /** When it last wrote anything down, in milliseconds since the epoch. */
  readonly lastWroteAt: number | null;
}

/** Of the process, what says whose it is. */
export interface UnitProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const mark = z.object({
  running: z.boolean(),
  boot_id: z.nullable(z.string()),
  invocation_id: z._default(z.nullable(z.string()), null),
});

/** How the agent's last life ended, told by a mark that only a clean stop takes away. `lastWroteAt`: {@link lastWriteIn} its folder. */
export function openLife(
  folder: string,
  { bootId, system, lastWroteAt }: { bootId: string | null; system: UnitProcess; lastWroteAt: number | null },
): Life {
  const path = join(folder, 'life.json');
  const last = parseMark(readSmallFile(path));
  const write = (running: boolean) =>
    writeSmallFile(
      path,
      `${JSON.stringify({ running, boot_id: bootId, invocation_id: ownInvocation(system) } satisfies z.infer<typeof mark>)}\n`,
    );
  write(true);
  return {
    previous: { ended: endOf(last, bootId), invocationId: last?.invocation_id ?? null, lastWroteAt },
    end: () => write(false),
  };
}

/** The newest change of a file in the folder or below, in milliseconds since the epoch; null when there is none, or it cannot be looked into. */
export function lastWriteIn(folder: string): number | null {
  let newest = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
    }
  } catch {
    return null; // what is wrong with the folder is told by who needs it
  }
  return newest === 0 ? null : Math.floor(newest);
}

function endOf(last: z.infer<typeof mark> | null, bootId: string | null): PreviousLife['ended'] {
  if (last === null) return 'none';
  if (!last.running) return 'clean';
  return bootId !== null && last.boot_id !== bootId ? 'rebooted' : 'killed';
}

/**
 * INVOCATION_ID is handed down to whatever a unit starts; SYSTEMD_EXEC_PID says for whom it was meant, from systemd 248 on
 * (systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager"). Before that it was for a child of systemd's.
 */
function ownInvocation({ pid, ppid, env }: UnitProcess): string | null {
  const { INVOCATION_ID: id, SYSTEMD_EXEC_PID: meantFor } = env;
  const isOurs = meantFor === undefined ? ppid === 1 : meantFor === String(pid);
  return isOurs && id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : null;
}

function parseMark(text: string | null): z.infer<typeof mark> | null {
  if (text === null) return null;
  try {
    return mark.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
