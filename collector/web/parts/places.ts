import type { LinkProps } from '@tanstack/react-router';
import { rootPath } from '../data/client.ts';

/* Where one record is shown: the only place that knows, for links, rows and the search. */

export function nodePlace({ id }: { readonly id: string }) {
  return { to: '/nodes/$id', params: { id } } as const satisfies LinkProps;
}

/** The same as an address, for lists too long for a component each. */
export function nodeAddress({ id }: { readonly id: string }): string {
  return `${rootPath}nodes/${encodeURIComponent(id)}`;
}

export function taskPlace({ id }: { readonly id: string }) {
  return { to: '/tasks/$id', params: { id } } as const satisfies LinkProps;
}

/** `name`: `project/job`, as the API takes it. */
export function jobPlace({ name }: { readonly name: string }) {
  return { to: '/jobs/$id', params: { id: name } } as const satisfies LinkProps;
}

export function incidentPlace({ id }: { readonly id: string }) {
  return { to: '/incidents/$id', params: { id } } as const satisfies LinkProps;
}
