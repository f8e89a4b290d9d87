import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { keyOf, signatureHeaders } from './sign.ts';

const current = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const next = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const body = '{"type":"task.ended","name":"grün"}';
const sign = (secrets: readonly string[], at = Date.now()) =>
  signatureHeaders({ id: 'msg-1', at, body, keys: secrets.map(keyOf) });

describe('a signed message', () => {
  it('F114 is accepted by the reference library, with either secret during a change', () => {
    const headers = sign([current, next]);

    expect(new Webhook(current).verify(body, headers)).toEqual(JSON.parse(body));
    expect(new Webhook(next).verify(body, headers)).toEqual(JSON.parse(body));
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
  });

  it('F114 is refused when altered, late, or signed with another secret', () => {
    expect(() => new Webhook(current).verify(body.replace('task', 'tusk'), sign([current]))).toThrow();
    expect(() => new Webhook(current).verify(body, sign([current], Date.now() - 600_000))).toThrow();
    expect(() => new Webhook(current).verify(body, { ...sign([current]), 'webhook-id': 'msg-2' })).toThrow();
    expect(() => new Webhook(current).verify(body, sign([next]))).toThrow();
  });

  it('carries no signature when there is no secret', () => {
    expect(Object.keys(sign([]))).toEqual(['webhook-id', 'webhook-timestamp']);
  });
});

describe('a secret', () => {
  it('is base64 with or without its prefix, as the reference library reads it, or else its own bytes', () => {
    const bare = current.slice('whsec_'.length);

    expect(keyOf(current)).toEqual(Buffer.alloc(32, 7));
    expect(keyOf(bare)).toEqual(Buffer.alloc(32, 7));
    expect(new Webhook(bare).verify(body, sign([bare]))).toBeTruthy();
    expect(keyOf('not base64!')).toEqual(Buffer.from('not base64!'));
    expect(new Webhook('not base64!', { format: 'raw' }).verify(body, sign(['not base64!']))).toBeTruthy();
  });
});
