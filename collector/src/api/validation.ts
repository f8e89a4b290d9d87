import { expectation } from '@runnerwatch/shared/runtime/expectation.ts';
import type { FastifySchemaCompiler } from 'fastify';
import * as z from 'zod';
import { ApiError } from './errors.ts';

/** Checks what arrives against its schema; what does not fit is told in our words, naming the parameter or body key at fault. */
export const validatorCompiler: FastifySchemaCompiler<z.core.$ZodType> = ({ schema, httpPart }) => {
  const parameters = httpPart === 'querystring' ? parametersOf(schema) : null;
  return (data: unknown) => {
    const unknown = parameters === null ? undefined : Object.keys(data ?? {}).find((key) => !parameters.includes(key));
    if (unknown !== undefined) return { error: noSuchParameter(unknown, parameters ?? []) };
    const result = z.core.safeParse(schema, data, { error: expectation });
    if (!result.success) return { error: refusalOf(result.error, httpPart) };
    const field = whereNul(result.data, '');
    if (field === null) return { value: result.data };
    return { error: new ApiError('bad_request', `${field}: expected text without NUL characters`, { field }) };
  };
};

/** All that a query may hold: a filter with a slip in its name would answer with everything. Null: anything, by a loose schema. */
function parametersOf(schema: z.core.$ZodType): string[] | null {
  return schema instanceof z.ZodObject && schema.def.catchall === undefined ? Object.keys(schema.shape) : null;
}

function noSuchParameter(field: string, parameters: readonly string[]): ApiError {
  return new ApiError('bad_request', `${field}: no such parameter here; there are ${parameters.join(', ')}`, { field });
}

/** Where in a value a text holds U+0000, which no text in the database can; a path of keys, or null. */
function whereNul(value: unknown, path: string): string | null {
  if (typeof value === 'string') return value.includes('\0') ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = whereNul(inner, path === '' ? key : `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

function refusalOf({ issues: [first] }: z.core.$ZodError, part: string | undefined): ApiError {
  const keys = first?.code === 'unrecognized_keys' ? first.keys.slice(0, 1) : [];
  const path = [...(first?.path ?? []), ...keys].join('.');
  const field = path === '' ? (part ?? 'request') : path;
  return new ApiError('bad_request', `${field}: ${first?.message ?? 'not valid'}`, { field });
}
