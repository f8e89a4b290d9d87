import { createHmac } from 'node:crypto';

/*
 * Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, told as `v1,<base64>`; several signatures, one a secret,
 * stand in one header with spaces between, so that a receiver can change secrets without a gap.
 */

/** The three headers of one message. `at` is epoch milliseconds; without secrets there is no signature. */
export function signatureHeaders({
  id,
  at,
  body,
  keys,
}: {
  id: string;
  at: number;
  body: string;
  keys: readonly Buffer[];
}): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  };
}

/** A configured secret as key bytes: base64 with or without the prefix `whsec_`, as the standard has it; any other text as its UTF-8 bytes. */
export function keyOf(secret: string): Buffer {
  const bare = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret;
  const isBase64 = bare.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(bare);
  return isBase64 ? Buffer.from(bare, 'base64') : Buffer.from(secret, 'utf8');
}
