import { AppShell, Burger } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { rootPath } from '../data/client.ts';
import { useConnection, useLive } from '../data/use-live.ts';
import { Icon } from '../parts/icon.tsx';
import { ConnectionState } from './connection-state.tsx';
import { Gate } from './gate.tsx';
import { useNavigation } from './navigation.ts';
import { Palette, SearchButton } from './palette.tsx';
import classes from './shell.module.css';
import { Switches } from './switches.tsx';
import { WhoAmI } from './whoami.tsx';

/** What surrounds every page. Shows the gate instead of it while the collector asks for a token. */
export function Shell(): ReactNode {
  const [isOpen, { toggle, close }] = useDisclosure();
  const connection = useConnection();
  const live = useLive();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(close, [path, close]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a className={classes.skip} href="#content">
        Skip to the page
      </a>
      <AppShell.Header className={classes.header}>
        <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
        <Link to="/" className={classes.brand} aria-label="Runnerwatch: overview">
          <Brand />
          <span>Runnerwatch</span>
        </Link>
        <SearchButton />
        <ConnectionState />
        <Switches />
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} aria-label="Pages">
        {useNavigation().map(({ to, label, icon }) => (
          <Link key={label} to={to} className={classes.link} activeOptions={{ exact: to === '/' }}>
            <Icon name={icon} />
            {label}
          </Link>
        ))}
        <WhoAmI />
        <a className={classes.link} href={`${rootPath}api/docs`}>
          <Icon name="book" />
          API
        </a>
      </AppShell.Navbar>
      <AppShell.Main
        id="content"
        tabIndex={-1}
        className={classes.main}
        data-stale={connection.kind === 'away' || undefined}
      >
        {connection.kind === 'locked' ? (
          <Gate refusal={connection.refusal} unlock={(token) => live.unlock(token)} />
        ) : (
          <Outlet />
        )}
      </AppShell.Main>
      {connection.kind !== 'locked' && <Palette />}
    </AppShell>
  );
}

function Brand(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" fill="none" stroke="currentColor">
      <path
        d="M2.5 16C6 9.6 10.6 6.5 16 6.5S26 9.6 29.5 16C26 22.4 21.4 25.5 16 25.5S6 22.4 2.5 16Z"
        strokeWidth="1.6"
        opacity=".45"
      />
      <path d="M6.5 16h5.2l2.4-5.2 3.6 10.4 2.4-5.2h5.4" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
