/*
 * What can go wrong with a database, by what can be done about it. SQLSTATE codes: PostgreSQL manual, appendix A.
 *   unreachable, timeout, starting   it comes back: hold what you have and try again
 *   read_only, disk_full             a person must act, then it goes on by itself: hold and try again
 *   conflict                         another transaction was in the way: try again at once
 *   data                             this very value is not storable: trying again does not help
 *   denied, failed                   neither helps
 */
export type DatabaseProblem =
  | 'unreachable'
  | 'timeout'
  | 'starting'
  | 'read_only'
  | 'disk_full'
  | 'conflict'
  | 'data'
  | 'denied'
  | 'failed';

const retryableProblems: ReadonlySet<DatabaseProblem> = new Set([
  'unreachable',
  'timeout',
  'starting',
  'read_only',
  'disk_full',
  'conflict',
]);

export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly problem: DatabaseProblem;
  /** True when the same work may succeed later without a change of ours. */
  readonly retryable: boolean;
  /** Five characters; null when the failure is not the server's own word. */
  readonly sqlState: string | null;

  constructor(problem: DatabaseProblem, message: string, options: { cause?: unknown; sqlState?: string | null } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.problem = problem;
    this.retryable = retryableProblems.has(problem);
    this.sqlState = options.sqlState ?? null;
  }
}

/**
 * Anything thrown by a query, as a {@link DatabaseError}. Outside a transaction drizzle wraps errors in one that holds the
 * query's values: this looks through it and leaves it behind, so that log the result and not what was thrown.
 */
export function toDatabaseError(thrown: unknown): DatabaseError {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth++) {
    if (error instanceof DatabaseError) return error;
    const code = codeOf(error);
    if (code !== undefined) {
      const problem = classify(code);
      if (problem !== undefined) {
        const sqlState = /^[0-9A-Z]{5}$/.test(code) ? code : null;
        return new DatabaseError(problem, sentence(problem, error.message), { cause: error, sqlState });
      }
    }
  }
  return new DatabaseError('failed', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function sentence(problem: DatabaseProblem, message: string): string {
  return `database ${problem.replace('_', ' ')}: ${message}`;
}

/** Codes of Node's sockets and of postgres.js. */
const transportProblems: Readonly<Record<string, DatabaseProblem>> = {
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  EPIPE: 'unreachable',
  ENOENT: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'unreachable',
  EACCES: 'denied',
  CONNECTION_CLOSED: 'unreachable',
  CONNECTION_ENDED: 'unreachable',
  CONNECTION_DESTROYED: 'unreachable',
  CONNECT_TIMEOUT: 'unreachable',
};

const stateProblems: Readonly<Record<string, DatabaseProblem>> = {
  '25006': 'read_only',
  '25P03': 'timeout',
  '40001': 'conflict',
  '40P01': 'conflict',
  '53100': 'disk_full',
  '53200': 'starting',
  '53300': 'starting',
  '55P03': 'conflict',
  '57014': 'timeout',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'starting',
  '57P05': 'unreachable',
  '58030': 'disk_full',
};

const classProblems: Readonly<Record<string, DatabaseProblem>> = {
  '08': 'unreachable',
  '22': 'data',
  '23': 'data',
  '28': 'denied',
  '3D': 'denied',
  '40': 'conflict',
  '42': 'failed',
  '53': 'starting',
  '54': 'data',
};

function classify(code: string): DatabaseProblem | undefined {
  if (/^[0-9A-Z]{5}$/.test(code) && !(code in transportProblems)) {
    if (code === '42501') return 'denied';
    return stateProblems[code] ?? classProblems[code.slice(0, 2)] ?? 'failed';
  }
  return transportProblems[code];
}
