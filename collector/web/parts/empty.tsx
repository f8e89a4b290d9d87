import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './empty.module.css';
import { Icon } from './icon.tsx';

/** Nothing to show, and how to get something: a sentence, often followed by a {@link Command}. */
export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className={classes.empty} data-empty>
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** A line to paste into a shell. */
export function Command({ text }: { text: string }): ReactNode {
  return (
    <div className={classes.command}>
      <code>{text}</code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : 'Copy'}>
            <ActionIcon variant="subtle" size="sm" color="gray" onClick={copy} aria-label={`Copy: ${text}`}>
              <Icon name={copied ? 'check' : 'copy'} size={15} />
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </div>
  );
}
