import { nothingRead, type TaskReading } from '../../agent/src/recorder/reading.ts';
import { openRun, type Run } from '../../agent/src/tasks/run.ts';

/** A run as the ledger has it open; a scope unless the unit says otherwise. */
export function runningTask(
  name: string,
  more: Partial<Run> & { readonly unit?: string; readonly taskId?: string } = {},
): Run {
  const { unit = `${name}.scope`, taskId, ...rest } = more;
  const id = `id-of-${name}`;
  return {
    ...openRun({
      key: `systemd:${name}`,
      source: 'systemd',
      handle: unit,
      isScope: unit.endsWith('.scope'),
      startedAt: null,
      identity: {
        id,
        task_id: taskId ?? id,
        name,
        job: null,
        project: null,
        owner: null,
        source: 'systemd',
        unit,
        container_id: null,
        command: null,
        started_at: null,
      },
    }),
    cgroup: `/system.slice/${unit}`,
    ...rest,
  };
}

/** A reading in which nothing is counted but what is given. */
export function taskReading(given: Partial<TaskReading>): TaskReading {
  return { ...nothingRead, ...given };
}
