import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Task } from '../data/api-types.ts';
import { taskTones } from '../theme/tones.ts';
import { taskPlace } from './places.ts';
import classes from './run-strip.module.css';
import { durationText, statusText } from './texts.ts';

/** Runs as ticks, the newest at the right; each leads to its task. `tasks`: newest first. */
export function RunStrip({ tasks, currentId }: { tasks: readonly Task[]; currentId?: string }): ReactNode {
  return (
    <div className={classes.strip}>
      {tasks.toReversed().map(({ id, status, ended_at, duration_ms }) => {
        const words = `${statusText(status)}${ended_at === null ? '' : `, ${ended_at}`}, ${durationText(duration_ms)}`;
        return (
          <Link
            key={id}
            {...taskPlace({ id })}
            preload={false}
            className={classes.tick}
            data-tone={taskTones[status]}
            aria-current={id === currentId ? 'page' : undefined}
            aria-label={words}
            title={words}
          />
        );
      })}
    </div>
  );
}
