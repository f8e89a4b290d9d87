import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Asker, covers, type Role } from '../people/roles.ts';
import { digestOf } from '../people/tokens.ts';
import { WrongTokens } from '../people/wrong-tokens.ts';
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
  /** What local callers without a token may do. */
  readonly localRole: Role;
  /** Whose token it is, null for nobody's. Cheap, and the same work for each: it runs on bad tokens too. */
  readonly findAsker: (presented: string) => Asker | null;
  /** False once that token is gone, or its role is another. */
  readonly isStill: (asker: Asker) => boolean;
  readonly now: () => number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least that may ask this. */
    role: Role;
    /** False: what it does is written down elsewhere. */
    isAudited?: boolean;
  }
  interface FastifyRequest {
    /** Null before the guard, and where nobody is asked for who he is. */
    asker: Asker | null;
    /** What it is about, for the audit trail, where neither path nor answer say it well. */
    subject: string | null;
    /** It stands in the audit trail although it changed nothing. */
    isSuspicious: boolean;
  }
}

export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * A hook for everything that shows or changes data.
 * Throws {@link ApiError}: unauthorized, too_many_attempts, cross_site, unknown_host, forbidden.
 */
export function createGuard(options: AuthOptions): Guard {
  const policy = accessPolicy(options);
  const wrongTokens = new WrongTokens();
  const find = (presented: string, request: FastifyRequest, reply: FastifyReply): Asker | null => {
    const found = options.findAsker(presented);
    if (found !== null) return found;
    const [address, now] = [addressOf(request), options.now()];
    const waitMs = wrongTokens.waitMs(address, now);
    if (waitMs > 0) {
      reply.header('retry-after', Math.ceil(waitMs / 1000));
      throw new ApiError('too_many_attempts');
    }
    if (wrongTokens.note(address, digestOf(presented), now)) {
      request.isSuspicious = true;
      request.log.warn({ address }, 'too many wrong tokens from one address; more from there hear so for a minute');
    }
    return null;
  };
  return async (request, reply) => {
    const presented = bearerToken(request.headers.authorization);
    const found = presented === null ? null : find(presented, request, reply);
    const token = presented === null ? 'none' : found === null ? 'invalid' : 'valid';
    const access = decideAccess(policy, askerFacts(request, token));
    if (access.kind === 'refused') {
      if (access.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="runnerwatch"');
      throw new ApiError(access.code);
    }
    const asker: Asker = found ?? { kind: 'local', role: options.localRole };
    request.asker = asker;
    const { role } = request.routeOptions.config;
    if (covers(asker.role, role)) return;
    request.isSuspicious = true;
    throw new ApiError('forbidden', refusalOf(asker, role));
  };
}

/** Who asks this. For handlers behind the guard. */
export function askerOf({ asker }: FastifyRequest): Asker {
  if (asker === null) throw new Error('this route stands before the guard');
  return asker;
}

/** Who is written down: the person of the token, or else whom the request names. */
export function authorOf(request: FastifyRequest, claimed: string | undefined): string | undefined {
  const asker = askerOf(request);
  return asker.kind === 'person' ? asker.name : claimed;
}

/** Where a request comes from: for one that a proxy on this machine passed on, whom the proxy names last. */
export function addressOf({ headers, socket }: FastifyRequest): string {
  const remote = socket.remoteAddress ?? '';
  const forwarded = single(headers['x-forwarded-for'])?.split(',').at(-1)?.trim();
  return isLoopback(remote) && forwarded !== undefined && isIP(forwarded) !== 0 ? forwarded : remote;
}

function refusalOf(asker: Asker, least: Role): string {
  const [who, then] =
    asker.kind === 'person'
      ? [asker.name, `ask an admin for \`runnerwatch people set ${asker.name} --role ${least}\``]
      : ['whoever comes from this machine without a token', 'send a token of your own'];
  return `this takes the role ${least}, and ${who} is ${asker.role}; ${then}`;
}

/**
 * Refuses a listener that would be open to the network with nobody asked for a token.
 * Returns the sentence of refusal, or null.
 */
export function assertListenAllowed(options: { listenHost: string; hasToken: boolean }): string | null {
  if (isLoopback(options.listenHost) || options.hasToken) return null;
  return `listen: ${options.listenHost} can be reached from other machines, and there is no API token to ask for; listen on 127.0.0.1, or let the collector write its token into data_dir`;
}

export function accessPolicy(options: Omit<AuthOptions, 'findAsker' | 'isStill' | 'localRole' | 'now'>): AccessPolicy {
  return {
    listensOnLoopback: isLoopback(options.listenHost),
    tokenAlwaysNeeded: options.requireToken,
    ownNames: new Set([options.hostname.toLowerCase()]),
    publicOrigin: options.publicUrl === null ? null : new URL(options.publicUrl).origin,
  };
}

const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

function askerFacts(request: FastifyRequest, token: AskerFacts['token']): AskerFacts {
  const { headers } = request;
  return {
    method: request.method,
    remoteAddress: request.socket.remoteAddress,
    host: headers.host,
    origin: headers.origin,
    secFetchSite: single(headers['sec-fetch-site']),
    isForwarded: forwardingHeaders.some((name) => headers[name] !== undefined),
    token,
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
