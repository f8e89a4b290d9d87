/** Every public error: its stable code, its HTTP status, and the sentence said when the thrower has none of its own. */
export const errorCodes = {
  bad_request: { status: 400, message: 'the request is not valid' },
  unauthorized: { status: 401, message: 'a valid API token is needed: send it as `Authorization: Bearer …`' },
  forbidden: { status: 403, message: 'your role does not allow this; ask an admin for another one' },
  cross_site: { status: 403, message: 'a page of another site may not change anything here' },
  unknown_host: {
    status: 403,
    message: 'the Host header names neither this machine nor public_url; send a token or use one of those names',
  },
  not_found: { status: 404, message: 'there is no such thing here' },
  method_not_allowed: { status: 405, message: 'this path takes other methods; the header Allow names them' },
  timeout: { status: 408, message: 'the request took too long to arrive' },
  conflict: { status: 409, message: 'this contradicts the present state' },
  too_large: { status: 413, message: 'the request body is larger than 64 KiB' },
  unsupported_media_type: { status: 415, message: 'the body must be application/json' },
  upgrade_required: {
    status: 426,
    message: 'agents come here by WebSocket; a proxy in between has to pass the headers Upgrade and Connection on',
  },
  too_many_attempts: {
    status: 429,
    message: 'too many wrong tokens came from your address; look for the right one, and try again in a minute',
  },
  internal: { status: 500, message: 'something failed inside the collector; its log says what' },
  unavailable: { status: 503, message: 'the collector cannot answer now; try again in a moment' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** An answer to the person asking: thrown by a handler, told as `{error: {code, message, field?}}`. The message is public. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** The parameter or body key at fault: `since`, `note`. */
  readonly field: string | undefined;

  constructor(code: ErrorCode, message?: string, options: { field?: string; cause?: unknown } = {}) {
    super(message ?? errorCodes[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ApiError';
    this.code = code;
    this.status = errorCodes[code].status;
    this.field = options.field;
  }
}

/** 404. `what` names it as the asker did: `task 01J…`. */
export function notFound(what: string): ApiError {
  return new ApiError('not_found', `there is no ${what}`);
}

/** 400 about one parameter or body key. */
export function badRequest(field: string, message: string): ApiError {
  return new ApiError('bad_request', message, { field });
}

/** 409: what was asked contradicts the present state. */
export function conflict(message: string): ApiError {
  return new ApiError('conflict', message);
}

/** 503: the database or another part is away. */
export function unavailable(message: string, cause?: unknown): ApiError {
  return new ApiError('unavailable', message, { cause });
}

/** The public body of an error. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly field?: string };
}

export function errorBody(error: ApiError): ErrorBody {
  return {
    error: { code: error.code, message: error.message, ...(error.field === undefined ? {} : { field: error.field }) },
  };
}
