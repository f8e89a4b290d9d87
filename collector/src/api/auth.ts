import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AccessPolicy, type AskerFacts, decideAccess, isLoopback } from './access.ts';
import { ApiError } from './errors.ts';

export interface AuthOptions {
  /** The host part of `listen`. */
  readonly listenHost: string;
  readonly publicUrl: string | null;
  /** This machine's own name. */
  readonly hostname: string;
  /** Local callers need one too: for a proxy on this machine that adds no forwarding header. */
  readonly requireToken: boolean;
  /** Cheap and constant-time: it runs on every request that brings a token, also on the bad ones. */
  readonly isToken: (presented: string) => boolean;
}

export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** A hook for everything that shows or changes data. Throws {@link ApiError}: unauthorized, cross_site, unknown_host. */
export function createGuard(options: AuthOptions): Guard {
  const policy = accessPolicy(options);
  return async (request, reply) => {
    const access = decideAccess(policy, askerFacts(request, options.isToken));
    if (access.kind === 'allowed') return;
    if (access.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="runnerwatch"');
    throw new ApiError(access.code);
  };
}

/**
 * Refuses a listener that would be open to the network with nobody asked for a token.
 * Returns the sentence of refusal, or null.
 */
export function assertListenAllowed(options: { listenHost: string; hasToken: boolean }): string | null {
  if (isLoopback(options.listenHost) || options.hasToken) return null;
  return `listen: ${options.listenHost} can be reached from other machines, and there is no API token to ask for; listen on 127.0.0.1, or let the collector write its token into data_dir`;
}

export function accessPolicy(options: Omit<AuthOptions, 'isToken'>): AccessPolicy {
  return {
    listensOnLoopback: isLoopback(options.listenHost),
    tokenAlwaysNeeded: options.requireToken,
    ownNames: new Set([options.hostname.toLowerCase()]),
    publicOrigin: options.publicUrl === null ? null : new URL(options.publicUrl).origin,
  };
}

const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

function askerFacts(request: FastifyRequest, isToken: AuthOptions['isToken']): AskerFacts {
  const { headers } = request;
  const presented = bearerToken(headers.authorization);
  return {
    method: request.method,
    remoteAddress: request.socket.remoteAddress,
    host: headers.host,
    origin: headers.origin,
    secFetchSite: single(headers['sec-fetch-site']),
    isForwarded: forwardingHeaders.some((name) => headers[name] !== undefined),
    token: presented === null ? 'none' : isToken(presented) ? 'valid' : 'invalid',
  };
}

/** The token of `Authorization: Bearer …` (RFC 6750 section 2.1); '' for any other scheme; null without the header. */
function bearerToken(header: string | undefined): string | null {
  if (header === undefined) return null;
  return /^bearer +([\w.~+/=-]{1,512})$/i.exec(header)?.[1] ?? '';
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
