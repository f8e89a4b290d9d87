import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { isResponseSerializationError } from 'fastify-type-provider-zod';
import { ApiError, errorBody, unavailable } from './errors.ts';

/** True for a failure that passes by itself: the database is away, starting, or cannot take more. */
export type IsPassing = (error: unknown) => boolean;

/** Tells whatever a handler or fastify threw in the one public shape. Our own failures are logged, and told without detail. */
export function createErrorHandler(isPassing: IsPassing) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const told = toApiError(error, isPassing);
    const facts = { err: error, method: request.method, route: request.routeOptions.url };
    if (told.code === 'internal') request.log.error(facts, 'a request failed');
    if (told.code === 'unavailable') request.log.warn(facts, 'a request could not be answered');
    return reply.code(told.status).header('cache-control', 'no-store').send(errorBody(told));
  };
}

/** Whatever was thrown, as an {@link ApiError}. */
export function toApiError(error: unknown, isPassing: IsPassing): ApiError {
  if (error instanceof ApiError) return error;
  if (isResponseSerializationError(error)) return new ApiError('internal', undefined, { cause: error });
  if (isPassing(error)) return unavailable('the database does not answer; try again in a moment', error);
  const status = statusOf(error);
  if (status === 413) return new ApiError('too_large');
  if (status === 415) return new ApiError('unsupported_media_type');
  if (status === 408) return new ApiError('timeout');
  if (status === 404) return new ApiError('not_found');
  if (status === 503) return unavailable('the collector is stopping; try again in a moment', error);
  if (status !== null && status >= 400 && status < 500) return new ApiError('bad_request', (error as Error).message);
  return new ApiError('internal', undefined, { cause: error });
}

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  return typeof error.statusCode === 'number' ? error.statusCode : null;
}
