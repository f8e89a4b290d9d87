import type { LinkProps } from '@tanstack/react-router';
import type { Route } from '../data/client.ts';
import { may, useMe } from '../parts/allowed.tsx';
import type { IconName } from '../parts/icon.tsx';

/** The pages for whoever looks at them. */
export function useNavigation(): typeof navigation {
  const me = useMe();
  return navigation.filter(({ needs }) => needs === undefined || may(me, needs));
}

/** What the navigation shows, in this order: a page adds its line here and its route to router.tsx. */
const navigation: readonly {
  readonly to: NonNullable<LinkProps['to']>;
  readonly label: string;
  readonly icon: IconName;
  /** Shown to those alone who may ask this. */
  readonly needs?: Route;
}[] = [
  { to: '/', label: 'Overview', icon: 'overview' },
  { to: '/incidents', label: 'Incidents', icon: 'incidents' },
  { to: '/nodes', label: 'Nodes', icon: 'nodes' },
  { to: '/tasks', label: 'Tasks', icon: 'tasks' },
  { to: '/jobs', label: 'Jobs', icon: 'jobs' },
  { to: '/analytics', label: 'Analytics', icon: 'analytics' },
  { to: '/notifications', label: 'Notifications', icon: 'notifications' },
  { to: '/silences', label: 'Silences', icon: 'silences' },
  { to: '/watches', label: 'Watches', icon: 'watches' },
  { to: '/fleet', label: 'Fleet', icon: 'fleet' },
  { to: '/people', label: 'People', icon: 'people', needs: 'GET /people' },
  { to: '/audit', label: 'Audit', icon: 'audit', needs: 'GET /audit' },
];
