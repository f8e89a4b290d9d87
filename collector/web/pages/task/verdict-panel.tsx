import type { ReactNode } from 'react';
import { CauseBadge } from '../../parts/badges.tsx';
import { clockText, visible } from '../../parts/texts.ts';
import { taskTones } from '../../theme/tones.ts';
import { useZone } from '../../theme/zone.ts';
import classes from './task.module.css';
import type { TaskDetail } from './task-page.tsx';

const confidenceTexts = { proven: 'proven', likely: 'likely, not proven', unknown: 'not known for sure' } as const;

/** Why it ended in one sentence, then the facts it rests on and what to do. */
export function VerdictPanel({ task: { verdict, status, error_message } }: { task: TaskDetail }): ReactNode {
  const [zone] = useZone();
  if (verdict === null)
    return status === 'running' ? null : (
      <section className={classes.verdict} data-tone="idle" aria-label="Verdict">
        <p className={classes.sentence}>Nothing is known about its end.</p>
      </section>
    );
  const { summary, cause, confidence, evidence, advice } = verdict;
  return (
    <section className={classes.verdict} data-tone={taskTones[status]} aria-label="Verdict">
      <p className={classes.sentence}>{visible(summary)}</p>
      {error_message !== null && !summary.includes(error_message) && (
        <p className={classes.message}>{visible(error_message)}</p>
      )}
      <p className={classes.sure}>
        <CauseBadge cause={cause} /> {confidenceTexts[confidence]}
      </p>
      <div className={classes.reasons}>
        {evidence.length > 0 && (
          <div>
            <h2>Evidence</h2>
            <ul className={classes.evidence}>
              {evidence.map(({ source, at, fact }) => (
                <li key={`${source} ${at} ${fact}`}>
                  <b>{source}</b>
                  <span>{visible(fact)}</span>
                  <time dateTime={at} title={at}>
                    {clockText(at, { zone })}
                  </time>
                </li>
              ))}
            </ul>
          </div>
        )}
        {advice.length > 0 && (
          <div>
            <h2>What to do</h2>
            <ul className={classes.advice}>
              {advice.map((text) => (
                <li key={text}>{visible(text)}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </section>
  );
}
