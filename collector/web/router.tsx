import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { rootPath } from './data/client.ts';
import { analyticsSearch } from './pages/analytics/search.ts';
import { auditSearch } from './pages/audit/search.ts';
import { incidentsSearch } from './pages/incidents/search.ts';
import { jobsSearch } from './pages/jobs/search.ts';
import { nodeSearch } from './pages/node/search.ts';
import { nodesSearch } from './pages/nodes/search.ts';
import { NotFound } from './pages/not-found.tsx';
import { notificationsSearch } from './pages/notifications/search.ts';
import { tasksSearch } from './pages/tasks/search.ts';
import { Shell } from './shell/shell.tsx';

/* Every page of the dashboard. A page's code is loaded when it is opened; what its address may say is parsed here. */

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/overview-page.tsx'), 'OverviewPage'),
});

const nodes = createRoute({
  getParentRoute: () => root,
  path: '/nodes',
  validateSearch: nodesSearch,
  component: lazyRouteComponent(() => import('./pages/nodes/nodes-page.tsx'), 'NodesPage'),
});

const node = createRoute({
  getParentRoute: () => root,
  path: '/nodes/$id',
  validateSearch: nodeSearch,
  component: lazyRouteComponent(() => import('./pages/node/node-page.tsx'), 'NodePage'),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  validateSearch: tasksSearch,
  component: lazyRouteComponent(() => import('./pages/tasks/tasks-page.tsx'), 'TasksPage'),
});

const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id',
  component: lazyRouteComponent(() => import('./pages/task/task-page.tsx'), 'TaskPage'),
});

const incidents = createRoute({
  getParentRoute: () => root,
  path: '/incidents',
  validateSearch: incidentsSearch,
  component: lazyRouteComponent(() => import('./pages/incidents/incidents-page.tsx'), 'IncidentsPage'),
});

const incident = createRoute({
  getParentRoute: () => root,
  path: '/incidents/$id',
  component: lazyRouteComponent(() => import('./pages/incident/incident-page.tsx'), 'IncidentPage'),
});

const notifications = createRoute({
  getParentRoute: () => root,
  path: '/notifications',
  validateSearch: notificationsSearch,
  component: lazyRouteComponent(() => import('./pages/notifications/notifications-page.tsx'), 'NotificationsPage'),
});

const silences = createRoute({
  getParentRoute: () => root,
  path: '/silences',
  component: lazyRouteComponent(() => import('./pages/silences/silences-page.tsx'), 'SilencesPage'),
});

const watches = createRoute({
  getParentRoute: () => root,
  path: '/watches',
  component: lazyRouteComponent(() => import('./pages/watches/watches-page.tsx'), 'WatchesPage'),
});

const fleet = createRoute({
  getParentRoute: () => root,
  path: '/fleet',
  component: lazyRouteComponent(() => import('./pages/fleet/fleet-page.tsx'), 'FleetPage'),
});

const people = createRoute({
  getParentRoute: () => root,
  path: '/people',
  component: lazyRouteComponent(() => import('./pages/people/people-page.tsx'), 'PeoplePage'),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/audit-page.tsx'), 'AuditPage'),
});

const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  validateSearch: jobsSearch,
  component: lazyRouteComponent(() => import('./pages/jobs/jobs-page.tsx'), 'JobsPage'),
});

const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$id',
  component: lazyRouteComponent(() => import('./pages/job/job-page.tsx'), 'JobPage'),
});

const analytics = createRoute({
  getParentRoute: () => root,
  path: '/analytics',
  validateSearch: analyticsSearch,
  component: lazyRouteComponent(() => import('./pages/analytics/analytics-page.tsx'), 'AnalyticsPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    nodes,
    node,
    tasks,
    task,
    jobs,
    job,
    analytics,
    incidents,
    incident,
    notifications,
    silences,
    watches,
    fleet,
    people,
    audit,
  ]),
  basepath: rootPath,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
