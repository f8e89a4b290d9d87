import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import type { Role } from '../people/roles.ts';
import { errorCodes } from './errors.ts';

/** As much of an OpenAPI 3.1 document as we touch. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [key: string]: unknown;
}

export interface ApiOperation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: unknown;
  readonly responses?: Readonly<Record<string, unknown>>;
  /** The least that may ask this. */
  readonly 'x-role'?: Role;
}

export interface ApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** What @fastify/swagger is told before it collects the routes. */
export const documentHead = {
  openapi: '3.1.0',
  info: {
    title: 'Runnerwatch',
    version: '1',
    description:
      'Nodes, tasks, and why they ended. Ids are strings, instants are RFC 3339 in UTC with milliseconds, unknown values are null. Listings answer `{items, next_cursor}`: give `next_cursor` back as `cursor` for the next page; null is the last. `x-role` is the least role that a route takes: `viewer`, `operator` or `admin`.',
  },
} as const;

type Transform = SwaggerTransform<FastifySchema>;

/** Writes the least role of each route into the document too, as `x-role`. */
export function withRole(transform: Transform): Transform {
  return (route) => {
    const { schema, url } = transform(route);
    const role = route.route.config?.role;
    return { schema: role === undefined ? schema : { ...schema, 'x-role': role }, url };
  };
}

/** The document of a server that is ready: its routes, plus what holds for each of them. */
export function apiDocument(app: FastifyInstance): ApiDocument {
  const document: ApiDocument = JSON.parse(JSON.stringify(app.swagger()));
  return completeDocument(document);
}

/** The checked-in text: two spaces, one line break at the end. */
export function documentText(document: ApiDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function completeDocument(document: ApiDocument): ApiDocument {
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, operations]) => [
      path,
      Object.fromEntries(Object.entries(operations).map(([method, operation]) => [method, withErrors(operation)])),
    ]),
  );
  const schemas = referenced(document.components['schemas'] ?? {}, JSON.stringify(paths));
  return {
    ...document,
    paths,
    components: {
      ...document.components,
      schemas: { ...schemas, Error: errorSchema },
      responses: {
        Error: {
          description: errorText(),
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Not needed from the machine of the collector itself while it listens on loopback only.',
        },
      },
    },
    security: [{ token: [] }, {}],
  };
}

/** The generator names every schema twice, once as input; what nothing refers to is left out. */
function referenced(schemas: Readonly<Record<string, unknown>>, text: string): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const keep = (from: string) => {
    for (const [, name = ''] of from.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (name in kept || !(name in schemas)) continue;
      kept[name] = schemas[name];
      keep(JSON.stringify(schemas[name]));
    }
  };
  keep(text);
  return Object.fromEntries(Object.entries(kept).toSorted(([a], [b]) => a.localeCompare(b)));
}

function withErrors(operation: ApiOperation): ApiOperation {
  return {
    ...operation,
    ...withOptionalBody(operation),
    responses: { ...withDescriptions(operation), default: { $ref: '#/components/responses/Error' } },
  };
}

/** The generator calls every body required, also plain text that may be left out. */
function withOptionalBody({ requestBody }: ApiOperation): Pick<ApiOperation, 'requestBody'> {
  if (typeof requestBody !== 'object' || !JSON.stringify(requestBody).includes('"text/plain"')) return {};
  return { requestBody: { ...requestBody, required: false } };
}

/** The generator calls every answer a default response. */
function withDescriptions({ responses = {} }: ApiOperation): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(responses).map(([status, answer]) => [
      status,
      { ...(answer as object), description: status === '204' ? 'Done.' : 'The answer.' },
    ]),
  );
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: Object.keys(errorCodes) },
        message: { type: 'string' },
        field: { type: 'string', description: 'The parameter or body key at fault.' },
      },
    },
  },
};

function errorText(): string {
  const lines = Object.entries(errorCodes).map(
    ([code, { status, message }]) => `- \`${code}\` (${status}): ${message}`,
  );
  return `An error, by its stable code:\n\n${lines.join('\n')}`;
}
