/** A mail taken apart by RFC 5322, 2045, 2046 and 2047, as far as ours go; independent of what wrote it. */
export interface ParsedMail {
  /** By lower-case name, decoded; a name that stands twice has two values. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Content by type, such as `text/plain`. */
  readonly parts: ReadonlyMap<string, string>;
}

/** @throws for a line longer than RFC 5322 allows, or a bare CR or LF. */
export function parseMail(source: string): ParsedMail {
  if (/\r(?!\n)|(?<!\r)\n/.test(source)) throw new Error('a bare CR or LF');
  const long = source.split('\r\n').find((line) => Buffer.byteLength(line) > 998);
  if (long !== undefined) throw new Error(`a line of ${long.length} characters`);
  const { headers, body } = split(source);
  return { headers, parts: new Map(partsOf(headers, body)) };
}

function split(source: string): { headers: Map<string, string[]>; body: string } {
  const end = source.indexOf('\r\n\r\n');
  const headers = new Map<string, string[]>();
  for (const line of source
    .slice(0, end)
    .replaceAll(/\r\n(?=[ \t])/g, '')
    .split('\r\n')) {
    const [, name = '', value = ''] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`not a header: ${line}`);
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), decodeWords(value)]);
  }
  return { headers, body: source.slice(end + 4) };
}

function partsOf(headers: ReadonlyMap<string, readonly string[]>, body: string): [string, string][] {
  const type = headers.get('content-type')?.[0] ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary === undefined) return [[type.split(';')[0] ?? '', decodeBody(headers, body)]];
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .flatMap((part) => {
      const inner = split(part.replace(/^\r\n/, ''));
      return partsOf(inner.headers, inner.body.replace(/\r\n$/, ''));
    });
}

function decodeBody(headers: ReadonlyMap<string, readonly string[]>, body: string): string {
  const encoding = headers.get('content-transfer-encoding')?.[0]?.toLowerCase() ?? '7bit';
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8').replaceAll('\r\n', '\n');
  const text = encoding === 'quoted-printable' ? unquote(body.replaceAll(/=\r\n/g, '')) : body;
  return text.replaceAll('\r\n', '\n');
}

function unquote(text: string): string {
  return Buffer.from(
    text.replaceAll(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
}

function decodeWords(value: string): string {
  return value
    .replaceAll(/\?=[ \t]+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_all, kind: string, text: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('utf8') : unquote(text.replaceAll('_', ' ')),
    );
}
