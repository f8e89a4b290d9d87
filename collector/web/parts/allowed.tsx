import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { leastRoles, type Routes } from '../data/api-types.ts';
import type { Route } from '../data/client.ts';
import { read } from '../data/queries.ts';

export type Me = Routes['GET /me']['answer'];

/** Who uses this page; undefined before that is known. */
export function useMe(): Me | undefined {
  return useQuery(read('GET /me', {})).data;
}

/** Whether that person's role takes such a route. */
export function may(me: Me | undefined, route: Route): boolean {
  const ranks = { viewer: 0, operator: 1, admin: 2 };
  return me !== undefined && ranks[me.role] >= ranks[leastRoles[route] ?? 'viewer'];
}

/** What asks such a route is offered to those alone whom the collector would let. */
export function Allowed({ to, children }: { to: Route; children: ReactNode }): ReactNode {
  return may(useMe(), to) ? children : null;
}
