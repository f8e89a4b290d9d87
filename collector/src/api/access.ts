import type { ErrorCode } from './errors.ts';

/*
 * Who may ask, decided from values alone. Two ways in:
 *   local   from loopback, on a loopback listener, through no proxy, under one of our own names: no token needed
 *   token   anything else
 * A token that is sent is always judged, so that a wrong one is noticed on the first try and not on the day of the move.
 */
export interface AccessPolicy {
  /** True when only this machine can connect to the listener. */
  readonly listensOnLoopback: boolean;
  /** Ask local callers for a token too: for a proxy on this machine that adds no forwarding header. */
  readonly tokenAlwaysNeeded: boolean;
  /** Names a local browser may use for us, in lower case, without port: `localhost`, the machine's own name. */
  readonly ownNames: ReadonlySet<string>;
  /** Origin of public_url, `https://watch.example.org`; null when there is none. */
  readonly publicOrigin: string | null;
}

export interface AskerFacts {
  readonly method: string;
  readonly remoteAddress: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The browser's own word on where the request comes from (Fetch Metadata). */
  readonly secFetchSite: string | undefined;
  readonly isForwarded: boolean;
  readonly token: 'none' | 'valid' | 'invalid';
}

export type Access =
  | { readonly kind: 'allowed'; readonly as: 'local' | 'token' }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** May this request pass? Refusals name their code in errors.ts. */
export function decideAccess(policy: AccessPolicy, asker: AskerFacts): Access {
  if (asker.token === 'invalid') return { kind: 'refused', code: 'unauthorized' };
  if (changesState(asker.method) && isCrossSite(policy, asker)) return { kind: 'refused', code: 'cross_site' };
  if (asker.token === 'valid') return { kind: 'allowed', as: 'token' };
  if (!isLocal(policy, asker)) return { kind: 'refused', code: 'unauthorized' };
  const name = hostName(asker.host);
  if (name === null || !isOwnName(policy, name)) return { kind: 'refused', code: 'unknown_host' };
  return { kind: 'allowed', as: 'local' };
}

/** True for `127.0.0.0/8`, `::1`, and the IPv4 kind of loopback as IPv6 writes it; also for `localhost`. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/^::ffff:/i, '');
  return bare === '::1' || bare.toLowerCase() === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/** `name` of `name:port`, `[::1]:port`; null when it is neither. Lower case, no dot at the end. */
export function hostName(host: string | undefined): string | null {
  const parts = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host ?? '');
  return parts?.[1] === undefined ? null : parts[1].toLowerCase().replace(/\.$/, '');
}

function isLocal(policy: AccessPolicy, asker: AskerFacts): boolean {
  if (policy.tokenAlwaysNeeded || !policy.listensOnLoopback || asker.isForwarded) return false;
  return asker.remoteAddress !== undefined && isLoopback(asker.remoteAddress);
}

/** Against DNS rebinding: a page of `evil.example` that resolves to 127.0.0.1 still says `evil.example`. */
function isOwnName(policy: AccessPolicy, name: string): boolean {
  return isLoopback(name) || policy.ownNames.has(name);
}

function changesState(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

/** A browser says where a page comes from; programs that are not browsers send neither header. */
function isCrossSite(policy: AccessPolicy, asker: AskerFacts): boolean {
  if (asker.secFetchSite === 'cross-site' || asker.secFetchSite === 'same-site')
    return asker.origin !== policy.publicOrigin;
  if (asker.origin === undefined) return false;
  if (asker.origin === policy.publicOrigin) return false;
  return !isSameHost(asker.origin, asker.host);
}

function isSameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
