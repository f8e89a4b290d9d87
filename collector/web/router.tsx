import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { rootPath } from './data/client.ts';
import { nodesSearch } from './pages/nodes/search.ts';
import { NotFound } from './pages/not-found.tsx';
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

export const router = createRouter({
  routeTree: root.addChildren([overview, nodes]),
  basepath: rootPath,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
