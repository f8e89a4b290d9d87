import type { LinkProps } from '@tanstack/react-router';
import type { IconName } from '../parts/icon.tsx';

/** What the navigation shows, in this order: a page adds its line here and its route to router.tsx. */
export const navigation: readonly {
  readonly to: NonNullable<LinkProps['to']>;
  readonly label: string;
  readonly icon: IconName;
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
];
