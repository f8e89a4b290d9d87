import { type ConditionReport, conditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { Logger } from 'pino';
import * as z from 'zod/mini';
import { readSmallFile, replaceSmallFile } from '../small-file.ts';

const reports = z.array(conditionReport);

/** What fires here, kept over restarts: what the next life does not judge any more must be ended by it. */
export function firingFile(
  path: string,
  log: Logger,
): { load: () => ConditionReport[]; save: (firing: readonly ConditionReport[]) => void } {
  let latest = '';
  let isWriting = false;
  const write = async () => {
    isWriting = true;
    try {
      for (let written: string | null = null; written !== latest; ) {
        written = latest;
        await replaceSmallFile(path, written);
      }
    } catch (error) {
      log.warn({ err: error }, 'what fires could not be noted; a condition taken out of the configuration may not end');
    } finally {
      isWriting = false;
    }
  };
  return {
    load: () => {
      const parsed = reports.safeParse(parseOrNull(readSmallFile(path)));
      return parsed.success ? parsed.data : [];
    },
    // Not waited for: a disk that stalls holds up nothing else.
    save: (firing) => {
      latest = JSON.stringify(firing);
      if (!isWriting) void write();
    },
  };
}

function parseOrNull(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}
