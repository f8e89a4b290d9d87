import { type ReactNode, useEffect } from 'react';
import classes from './page.module.css';

export interface PageProps {
  readonly title: string;
  /** One line below the title: what is so now. */
  readonly lead?: ReactNode;
  /** Buttons at the right of the title. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of every page: title, lead, actions, then panels below each other. */
export function Page({ title, lead, actions, children }: PageProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Runnerwatch`;
  }, [title]);
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <div>
          <h1 className={classes.title}>{title}</h1>
          {lead !== undefined && <p className={classes.lead}>{lead}</p>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export interface PanelProps {
  readonly title: string;
  /** Beside the title: a count, a link. */
  readonly aside?: ReactNode;
  /** Its content touches the edges: tables, charts. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

/** One subject of a page, on a surface of its own. */
export function Panel({ title, aside, isFlush = false, children }: PanelProps): ReactNode {
  return (
    <section className={classes.panel} aria-label={title}>
      <header className={classes.panelHead}>
        <h2>{title}</h2>
        {aside !== undefined && <div className={classes.aside}>{aside}</div>}
      </header>
      <div className={isFlush ? classes.flush : classes.content}>{children}</div>
    </section>
  );
}

/** Panels beside each other where there is room. */
export function Columns({ children }: { children: ReactNode }): ReactNode {
  return <div className={classes.columns}>{children}</div>;
}
