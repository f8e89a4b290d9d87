import type { FastifyPluginAsync } from 'fastify';
import { docsPage } from '../docs-page.ts';
import { filePolicy } from '../headers.ts';
import { apiDocument } from '../openapi.ts';

/** The document for programs and its page for people. Open to everyone: they describe the product, not the fleet. */
export const docsRoutes: FastifyPluginAsync = async (app) => {
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    return reply.header('cache-control', 'no-cache').send(apiDocument(app));
  });
  app.get('/api/docs', { schema: { hide: true } }, async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-cache', 'content-security-policy': filePolicy });
    return reply.type('text/html; charset=utf-8').send(docsPage(apiDocument(app)));
  });
};
