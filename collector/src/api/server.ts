import fastifySwagger from '@fastify/swagger';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, fastify, LogController } from 'fastify';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
  type FastifyPluginAsyncZod,
  serializerCompiler,
} from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { type AuditTrail, auditChanges } from './audit.ts';
import { type AuthOptions, createGuard } from './auth.ts';
import { documentOptions } from './document-names.ts';
import { ApiError } from './errors.ts';
import { createErrorHandler, type IsPassing } from './failures.ts';
import { commonHeaders, dataPolicy } from './headers.ts';
import { type HealthParts, healthRoutes, metricsRoute } from './health.ts';
import { answerNothingHere } from './known-paths.ts';
import { documentHead, withRole } from './openapi.ts';
import { pageRoutes } from './page.ts';
import { docsRoutes } from './routes/docs.ts';
import { statusRoutes } from './routes/status.ts';
import { streamRoutes } from './routes/stream.ts';
import type { CollectorStatus } from './schemas/status.ts';
import type { StreamHub } from './stream.ts';
import { validatorCompiler } from './validation.ts';

export interface ServerParts extends HealthParts {
  /** Everything under /api/v1 beside status and stream: one plugin a resource. */
  readonly routes: readonly (FastifyPluginAsync | FastifyPluginAsyncZod)[];
  readonly auth: AuthOptions;
  readonly audit: AuditTrail;
  readonly status: () => Promise<CollectorStatus>;
  /** Failures to be answered with 503 instead of 500. */
  readonly isPassing: IsPassing;
  /** Closed together with the server. */
  readonly hub: StreamHub;
  /** Folder of the built dashboard: dist/web. */
  readonly pageDir: string;
  /** A connection whose request has not begun properly by then is closed. */
  readonly headersWithinMs?: number;
  readonly log: Logger;
}

const bodyLimitBytes = 64 * 1024;
const requestTimeoutMs = 30_000;
/** Longer than the idle limit of common proxies (60 s), so that it is the proxy that closes. */
const keepAliveTimeoutMs = 72_000;
/** What is being answered when the server closes may take so long. */
const closeWithinMs = 1000;

/**
 * The people's door, ready to listen: the API under /api/v1, its document, health, metrics and the dashboard.
 * The caller listens, and closes; closing ends the live streams first.
 */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const log: FastifyBaseLogger = parts.log;
  const { headersWithinMs = 10_000 } = parts;
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: headersWithinMs, connectionsCheckingInterval: Math.min(1000, headersWithinMs) },
    keepAliveTimeout: keepAliveTimeoutMs,
    routerOptions: { maxParamLength: 512 },
    return503OnClosing: true,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser('text/plain');
  takeEmptyBodies(app);
  app.decorateRequest('asker', null);
  app.decorateRequest('subject', null);
  app.decorateRequest('isSuspicious', false);
  app.setErrorHandler(createErrorHandler(parts.isPassing));
  answerNothingHere(app);
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ ...commonHeaders, 'content-security-policy': dataPolicy });
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.debug(
      {
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
      },
      'request answered',
    );
  });
  app.addHook('preClose', async () => {
    // Node ends idle connections only: one that has not asked yet, or not to the end, would hold us up for as long as it likes.
    const cutOff = setTimeout(() => app.server.closeAllConnections(), closeWithinMs);
    app.server.once('close', () => clearTimeout(cutOff));
    await parts.hub[Symbol.asyncDispose]();
  });

  await app.register(fastifySwagger, {
    openapi: { ...documentHead },
    transform: withRole(createJsonSchemaTransform(documentOptions)),
    transformObject: createJsonSchemaTransformObject(documentOptions),
  });
  await app.register(healthRoutes(parts));
  await app.register(docsRoutes);
  app.get('/agent/v1', { schema: { hide: true } }, async (_request, reply) => {
    reply.headers({ upgrade: 'websocket', connection: 'Upgrade' });
    throw new ApiError('upgrade_required');
  });
  await app.register(pageRoutes({ dir: parts.pageDir }));
  await app.register(guarded(parts));
  await app.ready();
  return app;
}

/** Many clients call every request JSON, also one without a body. */
function takeEmptyBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parse(request, body, done),
  );
}

/** What shows or changes data stands behind the guard; the rest is open. A route that says no role stops the start. */
function guarded(parts: ServerParts): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onRoute', ({ method, url, config }) => {
      if (config?.role === undefined) throw new Error(`${String(method)} ${url} says no least role`);
    });
    app.addHook('onRequest', createGuard(parts.auth));
    auditChanges(app, parts.audit);
    await app.register(metricsRoute(parts));
    await app.register(
      async (api) => {
        api.addHook('onRequest', async (_request, reply) => {
          reply.header('cache-control', 'no-store');
        });
        for (const route of parts.routes) await api.register(route);
        await api.register(statusRoutes(parts));
        await api.register(streamRoutes(parts));
      },
      { prefix: '/api/v1' },
    );
  };
}
