import type { Cause } from '@runnerwatch/shared/model/task.ts';

/** What two failures of one batch have in common. */
export interface FailedRun {
  readonly nodeId: string;
  readonly project: string | null;
  readonly job: string | null;
  readonly name: string;
  readonly cause: Cause | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly errorMessage: string | null;
}

const headlineLengthMax = 120;

/** The same for failures of one job (of a task without one: one name) that failed alike. */
export function signatureOf({ project, job, name, cause, exitCode, signal, errorMessage }: FailedRun): string {
  return `failure/${JSON.stringify([project, job ?? name, cause, signal ?? exitCode, headlineOf(errorMessage)])}`;
}

/** What a node that ran out of memory kills: one prefix for each node, one incident for each minute of it. */
export function hostMemoryKey(nodeId: string): string {
  return `oom-host/${nodeId}/`;
}

/** An error's first line without what differs from run to run: numbers, addresses, ids, folders. */
export function headlineOf(message: string | null): string {
  const line = message?.split('\n').find((one) => one.trim() !== '') ?? '';
  return line
    .trim()
    .toLowerCase()
    .replaceAll(/(?:\/[\w.@~+-]+)+\//g, '')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\b[0-9a-f]{12,}\b|\d+/g, '#')
    .replaceAll(/\s+/g, ' ')
    .slice(0, headlineLengthMax);
}
