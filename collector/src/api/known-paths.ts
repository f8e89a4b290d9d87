import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

/**
 * Answers requests that no route takes: 405 with `Allow` where others of the path's methods do, else 404. To be called before the first
 * route is added. The page, which takes every path, is not meant.
 */
export function answerNothingHere(app: FastifyInstance): void {
  const routes: { readonly segments: readonly string[]; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (url.endsWith('*')) return;
    for (const one of [method].flat()) routes.push({ segments: url.split('/'), method: one });
  });
  app.setNotFoundHandler((request, reply) => {
    const asked = pathOf(request).split('/');
    const methods = routes.filter(({ segments }) => leadsTo(segments, asked)).map(({ method }) => method);
    throw nothingHere(request, reply, [...new Set(methods)].sort());
  });
}

function nothingHere(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): ApiError {
  const path = pathOf(request);
  if (methods.length === 0)
    return new ApiError('not_found', `there is no ${request.method} ${path}; /api/docs lists what there is`);
  const allowed = methods.join(', ');
  reply.header('allow', allowed);
  return new ApiError('method_not_allowed', `${path} takes ${allowed}, not ${request.method}; /api/docs says what for`);
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?')[0] ?? '/';
}

function leadsTo(pattern: readonly string[], asked: readonly string[]): boolean {
  return (
    pattern.length === asked.length &&
    pattern.every((segment, index) => segment.startsWith(':') || segment === asked[index])
  );
}
