/** How far a connection had come. */
export type Stage = 'resolving' | 'connecting' | 'securing' | 'asking';

export type FailureCause =
  | 'name_unknown'
  | 'name_timeout'
  | 'name_failed'
  | 'refused'
  | 'unroutable'
  | 'timeout'
  | 'reset'
  | 'tls'
  | 'status'
  | 'other';

/** Why there is no connection, for people; `isLasting`: a person must act before trying again helps. */
export interface ConnectFailure {
  readonly cause: FailureCause;
  readonly message: string;
  readonly isLasting: boolean;
  /** The code of a collector's refusal. */
  readonly code?: string;
}

export interface Target {
  readonly url: URL;
  readonly stage: Stage;
}

/** The error that a socket, the resolver or TLS gave. Several addresses were tried when it is an `AggregateError`; the first speaks. */
export function explainError(error: unknown, target: Target): ConnectFailure {
  const first: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : undefined;
  const text = first instanceof Error ? clean(first.message, 200) : clean(String(first), 200);
  const { host, hostname } = target.url;
  if (code === 'ECONNREFUSED') return failure('refused', `nothing listens at ${host} (connection refused)`);
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'EADDRNOTAVAIL') {
    return failure('unroutable', `no route to ${host} (${code})`);
  }
  if (code === 'ETIMEDOUT') return failure('timeout', `no answer from ${host} (connection timed out)`);
  if (code !== undefined && isTlsCode(code))
    return { ...failure('tls', `TLS with ${host} failed: ${tlsReasons[code] ?? text} (${code})`), isLasting: true };
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return failure('reset', `${host} cut the connection while ${doings[target.stage]} (${code})`);
  }
  if (target.stage === 'resolving') return nameFailure(code, hostname, text);
  return failure('other', `connecting to ${host} failed: ${text}`);
}

/** Nothing was heard until the deadline. */
export function explainTimeout({ url, stage }: Target, timeoutMs: number): ConnectFailure {
  const seconds = `${Math.round(timeoutMs / 1000)} s`;
  switch (stage) {
    case 'resolving':
      return failure('name_timeout', `the name ${url.hostname} was not resolved in ${seconds} (DNS timeout)`);
    case 'connecting':
      return failure('timeout', `no answer from ${url.host} in ${seconds} (connection timed out)`);
    case 'securing':
      return failure(
        'timeout',
        `${url.host} did not finish the TLS handshake in ${seconds}; if that lasts, large packets may be lost on the way (MTU)`,
      );
    case 'asking':
      return failure('timeout', `${url.host} took the connection but did not answer in ${seconds}`);
  }
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  /** The first bytes of the body. */
  readonly body: string;
}

/** Something answered, but not a collector's "switching protocols": a proxy, a login page, a refusal. */
export function explainStatus({ status, location, body }: Answer, url: URL): ConnectFailure {
  const where = location === undefined ? '' : ` to ${clean(location, 100)}`;
  const refusal = readRefusal(body);
  const said = clean(refusal?.message ?? body, 200);
  const quote = said === '' ? '' : `: ${said}`;
  if (status === 401 || status === 403) {
    return {
      cause: 'status',
      isLasting: true,
      message: `${url.host} does not admit this agent's token (HTTP ${status})${quote}`,
      ...(refusal === null ? {} : { code: refusal.code }),
    };
  }
  if (status >= 300 && status < 400) {
    return {
      cause: 'status',
      isLasting: true,
      message: `${url.host} redirects (HTTP ${status}${where}); redirects are not followed, put the right address into collector_urls`,
    };
  }
  return {
    cause: 'status',
    isLasting: status === 404,
    message: `${url.host}${url.pathname} answered HTTP ${status}${quote}`,
  };
}

/** A collector's own words; null: somebody else answered. */
function readRefusal(body: string): { code: string; message: string } | null {
  const [, code, message] = /^{"error":{"code":"(\w+)","message":"((?:[^"\\]|\\.)*)"}}$/.exec(body) ?? [];
  return code === undefined || message === undefined ? null : { code, message: message.replace(/\\(.)/g, '$1') };
}

/** A stranger's text in our own line: markup, control characters and line ends become single spaces. */
export function clean(text: string, limit: number): string {
  const plain = text
    .replace(/<(script|style)\b[^]*?(<\/\1>|$)/gi, ' ')
    .replace(/<[^>]*>?/g, ' ')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return plain.length > limit ? `${plain.slice(0, limit)}…` : plain;
}

function failure(cause: FailureCause, message: string): ConnectFailure {
  return { cause, message, isLasting: false };
}

/** getaddrinfo(3): EAI_AGAIN is a name server that did not answer, ENOTFOUND one that knows no such name. */
function nameFailure(code: string | undefined, hostname: string, text: string): ConnectFailure {
  if (code === 'ENOTFOUND' || code === 'EAI_NONAME' || code === 'EAI_NODATA')
    return failure('name_unknown', `the name ${hostname} does not exist (${code})`);
  if (code === 'EAI_AGAIN' || code === 'ETIMEOUT')
    return failure('name_timeout', `no name server answered for ${hostname} (${code})`);
  return failure('name_failed', `the name ${hostname} could not be resolved: ${text}`);
}

const doings: Readonly<Record<Stage, string>> = {
  resolving: 'resolving its name',
  connecting: 'connecting',
  securing: 'shaking hands over TLS',
  asking: 'waiting for its answer',
};

function isTlsCode(code: string): boolean {
  return code in tlsReasons || code === 'EPROTO' || /^ERR_(SSL|TLS)_|CERT|^UNABLE_TO_/.test(code);
}

/** OpenSSL's verify results, by Node's names (nodejs.org/api/tls.html, X509 certificate error codes). */
const tlsReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; are both clocks right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; give its CA as ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not known here; give it as ca_file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not known here; give it as ca_file',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not known here; give it as ca_file',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};
