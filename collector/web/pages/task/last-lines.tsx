import { Button, CopyButton, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Icon } from '../../parts/icon.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import classes from './task.module.css';
import type { TaskDetail } from './task-page.tsx';

/** What it wrote at last, with what says why it failed marked, and searchable. Nothing when it wrote nothing. */
export function LastLines({ task: { log_tail, error_excerpt } }: { task: TaskDetail }): ReactNode {
  const [wanted, setWanted] = useState('');
  const marked = useRef<HTMLLIElement>(null);
  const excerpt = (error_excerpt ?? []).map(visible);
  const tail = (log_tail ?? []).map(visible);
  const begin = indexOfBlock(tail, excerpt);
  const lines = begin === null && excerpt.length > 0 ? [...excerpt, '', ...tail] : tail;
  const [from, to] = excerpt.length === 0 ? [0, 0] : [begin ?? 0, (begin ?? 0) + excerpt.length];
  const found = wanted === '' ? lines.length : lines.filter((line) => matches(line, wanted)).length;
  useEffect(() => {
    /* Within its own frame: the page stays where it is. */
    const line = marked.current;
    if (line?.parentElement) line.parentElement.scrollTop = line.offsetTop - line.parentElement.offsetTop - 40;
  }, []);
  if (lines.length === 0) return null;
  return (
    <Panel
      title="What it wrote at last"
      isFlush
      aside={
        <div className={classes.tools}>
          <span>
            {wanted === '' ? countText(lines.length, 'line') : `${found} of ${countText(lines.length, 'line')}`}
          </span>
          <TextInput
            size="xs"
            placeholder="Find in lines"
            aria-label="Find in lines"
            leftSection={<Icon name="search" size={14} />}
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
          <CopyButton value={lines.join('\n')}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </div>
      }
    >
      <ol className={classes.lines} tabIndex={0} aria-label="Last lines">
        {lines.map((line, index) => {
          const isError = index >= from && index < to;
          return matches(line, wanted) ? (
            <li
              key={`${index} ${line}`}
              value={index + 1}
              ref={index === from && isError ? marked : null}
              className={isError ? classes.error : undefined}
            >
              {line || ' '}
            </li>
          ) : null;
        })}
      </ol>
    </Panel>
  );
}

function matches(line: string, wanted: string): boolean {
  return line.toLowerCase().includes(wanted.toLowerCase());
}

/** Where the last copy of `block` begins in `lines`; null when it is not in them. */
function indexOfBlock(lines: readonly string[], block: readonly string[]): number | null {
  if (block.length === 0) return null;
  for (let begin = lines.length - block.length; begin >= 0; begin -= 1)
    if (block.every((line, offset) => lines[begin + offset]?.includes(line) === true)) return begin;
  return null;
}
