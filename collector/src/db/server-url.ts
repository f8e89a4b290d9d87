import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';

/** `disable` never, `prefer` when the server can, `require` always, `verify` with its name and chain checked. */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify';

export interface ServerTarget {
  readonly host: string;
  readonly port: number;
  /** A unix socket instead of host and port. */
  readonly path: string | null;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsMode;
}

/**
 * A connection URL (PostgreSQL manual, section "Connection URIs"), one host only.
 * @throws StartFailure naming what is wrong; the password is never in it.
 */
export function parseServerUrl(text: string): ServerTarget {
  // `user@/database` is usual with a socket's folder in the query, and no URL to the standard.
  const whole = text.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?#]|$)/, '$1localhost');
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url === null || url.hostname.includes(',')) {
    throw new StartFailure(
      'config',
      'database.url: expected a URL with one host, such as postgres://user@host/database',
    );
  }
  const query = url.searchParams;
  const host = query.get('host') ?? decodeURIComponent(url.hostname.replace(/^\[|\]$/g, ''));
  const port = Number(query.get('port') ?? (url.port === '' ? 5432 : url.port));
  const user = decodeURIComponent(url.username) || (query.get('user') ?? '');
  if (user === '')
    throw new StartFailure('config', 'database.url: expected a user name: postgres://user@host/database');
  const isSocket = host.startsWith('/');
  return {
    host: host === '' ? 'localhost' : host,
    port,
    path: isSocket ? `${host}/.s.PGSQL.${port}` : null,
    user,
    password: decodeURIComponent(url.password) || (query.get('password') ?? ''),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    tls: isSocket ? 'disable' : tlsMode(query.get('sslmode')),
  };
}

function tlsMode(sslmode: string | null): TlsMode {
  switch (sslmode) {
    case null:
    case 'prefer':
    case 'allow':
      return 'prefer';
    case 'disable':
      return 'disable';
    case 'require':
      return 'require';
    case 'verify-ca':
    case 'verify-full':
      return 'verify';
    default:
      throw new StartFailure(
        'config',
        `database.url: sslmode ${sslmode} is not known; use disable, prefer, require or verify-full`,
      );
  }
}
