import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';

/** Midday on the first day of 2026, in milliseconds since the epoch. */
export const noon = Date.UTC(2026, 0, 1, 12);

/** An end whose id says which it is. */
export function taskEnded(id: string, logTail: readonly string[] | null = null): EventBody {
  return {
    kind: 'task_ended',
    task: taskIdentity(id),
    ending: {
      status: 'failed',
      exit_code: 3,
      signal: null,
      ended_at: toInstant(noon),
      ended_at_approximate: false,
      duration_ms: 1000,
      cpu_ms: 10,
      memory_peak_bytes: null,
      memory_limit_bytes: null,
      error_message: null,
      verdict: { cause: 'exit_code', confidence: 'proven', summary: 'exited with 3', evidence: [], advice: [] },
    },
    log_tail: logTail === null ? null : [...logTail],
  };
}

export function taskStarted(id: string): EventBody {
  return { kind: 'task_started', task: taskIdentity(id) };
}

/** The id of the task that an event in JSON speaks of. */
export function taskIdOf(text: string): string | undefined {
  const { body } = JSON.parse(text) as { body: EventBody };
  return body.kind === 'task_ended' || body.kind === 'task_started' ? body.task.id : undefined;
}

function taskIdentity(id: string) {
  return {
    id,
    task_id: id,
    name: id,
    job: null,
    project: null,
    owner: null,
    source: 'systemd' as const,
    unit: `${id}.scope`,
    container_id: null,
    command: null,
    started_at: toInstant(noon - 1000),
  };
}
