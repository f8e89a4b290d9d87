/** Lowest first; each may do what those before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const;

/** `viewer` reads, `operator` also acknowledges, silences and subscribes, `admin` also admits and removes nodes and people. */
export type Role = (typeof roles)[number];

export function covers(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

/** Who asks. */
export type Asker =
  /** Someone on the collector's machine, without a token. */
  | { readonly kind: 'local'; readonly role: Role }
  /** Whoever holds the token of the collector's own file. */
  | { readonly kind: 'collector_token'; readonly role: 'admin' }
  | { readonly kind: 'person'; readonly role: Role; readonly id: string; readonly name: string };

/** What askers without a name are called in the audit trail; no person may be called so. */
export const namesOfNobody = { local: 'local', collector_token: 'api.token' } as const;

export function nameOf(asker: Asker): string {
  return asker.kind === 'person' ? asker.name : namesOfNobody[asker.kind];
}
