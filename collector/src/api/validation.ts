import { expectation } from '@runnerwatch/shared/runtime/expectation.ts';
import type { FastifySchemaCompiler } from 'fastify';
import * as z from 'zod';
import { ApiError } from './errors.ts';

/** Checks what arrives against its schema; what does not fit is told in our words, naming the parameter or body key at fault. */
export const validatorCompiler: FastifySchemaCompiler<z.core.$ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const result = z.core.safeParse(schema, data, { error: expectation });
    return result.success ? { value: result.data } : { error: refusalOf(result.error, httpPart) };
  };

function refusalOf({ issues: [first] }: z.core.$ZodError, part: string | undefined): ApiError {
  const keys = first?.code === 'unrecognized_keys' ? first.keys.slice(0, 1) : [];
  const path = [...(first?.path ?? []), ...keys].join('.');
  const field = path === '' ? (part ?? 'request') : path;
  return new ApiError('bad_request', `${field}: ${first?.message ?? 'not valid'}`, { field });
}
