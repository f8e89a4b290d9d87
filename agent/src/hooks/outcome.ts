/** How one call of a hook went. The reason is for the log and holds no address. */
export type HookOutcome = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };
