import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditRow } from '../people/audit.ts';
import { nameOf } from '../people/roles.ts';
import { addressOf } from './auth.ts';

export interface AuditTrail {
  readonly write: (entry: Omit<AuditRow, 'id' | 'at'>) => Promise<void>;
}

/**
 * Writes down who changed what, before the answer goes out: every request of someone we know that may change something, and what
 * the guard found suspicious. Of the request only its route and what its path names, of the answer its status and the id of what
 * was made; bodies, queries and headers may hold secrets.
 */
export function auditChanges(app: FastifyInstance, trail: AuditTrail): void {
  app.addHook('preSerialization', async (request, _reply, payload) => {
    request.subject ??= namedInPath(request) ?? idOf(payload);
    return payload;
  });
  app.addHook('onSend', async (request, reply) => {
    if (!isAudited(request)) return;
    try {
      await trail.write(entryOf(request, reply));
    } catch (error) {
      request.log.error({ err: error }, 'could not write into the audit trail who changed something');
    }
  });
}

function isAudited(request: FastifyRequest): boolean {
  if (request.isSuspicious) return true;
  const { role, isAudited: isOwn = true } = request.routeOptions.config;
  return isOwn && request.asker !== null && role !== 'viewer' && request.method !== 'GET' && request.method !== 'HEAD';
}

function entryOf(request: FastifyRequest, reply: FastifyReply): Omit<AuditRow, 'id' | 'at'> {
  const { asker, method, routeOptions } = request;
  return {
    person: asker === null ? null : nameOf(asker),
    role: asker?.role ?? null,
    address: addressOf(request),
    method,
    route: (routeOptions.url ?? '').replace(/^\/api\/v1/, '').replaceAll(/:(\w+)/g, '{$1}'),
    subject: (request.subject ?? namedInPath(request))?.replaceAll('\0', '').slice(0, 512) ?? null,
    status: reply.statusCode,
  };
}

function namedInPath({ params }: FastifyRequest): string | null {
  const [first] = Object.values(params as Readonly<Record<string, string>>);
  return first ?? null;
}

function idOf(payload: unknown): string | null {
  if (typeof payload !== 'object' || payload === null || !('id' in payload)) return null;
  return typeof payload.id === 'string' ? payload.id : null;
}
