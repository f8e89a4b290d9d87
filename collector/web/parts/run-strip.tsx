import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Task } from '../data/api-types.ts';
import { taskTones } from '../theme/tones.ts';
import { taskPlace } from './places.ts';
import classes from './run-strip.module.css';
import { durationText, statusText } from './texts.ts';

export interface RunStripProps {
  /** Newest first. */
  readonly tasks: readonly Pick<Task, 'id' | 'status' | 'ended_at' | 'duration_ms'>[];
  readonly currentId?: string;
  /** For a row of a table: low, and the keyboard passes by. */
  readonly isCompact?: boolean;
}

/** Runs as ticks, the newest at the right; each leads to its task. */
export function RunStrip({ tasks, currentId, isCompact = false }: RunStripProps): ReactNode {
  return (
    <div className={isCompact ? classes.compact : classes.strip}>
      {tasks.toReversed().map(({ id, status, ended_at, duration_ms }) => {
        const words = `${statusText(status)}${ended_at === null ? '' : `, ${ended_at}`}, ${durationText(duration_ms)}`;
        return (
          <Link
            key={id}
            {...taskPlace({ id })}
            preload={false}
            tabIndex={isCompact ? -1 : undefined}
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
