import { type ConditionReport, conditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { Logger } from 'pino';
import * as z from 'zod/mini';
import { readSmallFile, writeSmallFile } from '../small-file.ts';

const reports = z.array(conditionReport);

/** What fires here, kept over restarts: what the next life does not judge any more must be ended by it. */
export function firingFile(
  path: string,
  log: Logger,
): { load: () => ConditionReport[]; save: (firing: readonly ConditionReport[]) => void } {
  return {
    load: () => {
      const parsed = reports.safeParse(parseOrNull(readSmallFile(path)));
      return parsed.success ? parsed.data : [];
    },
    save: (firing) => {
      try {
        writeSmallFile(path, JSON.stringify(firing));
      } catch (error) {
        log.warn(
          { err: error },
          'what fires could not be noted; a condition taken out of the configuration may not end',
        );
      }
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
