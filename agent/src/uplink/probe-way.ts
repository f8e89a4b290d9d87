import { request as askPlain } from 'node:http';
import { request as askSecurely } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';

export interface ProbeOptions {
  /** The agents' door, `ws:` or `wss:`. */
  readonly url: URL;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly lookup?: LookupFunction | undefined;
}

/** `narrow`: a small request is answered, a large one is not heard. `wide`: both are. `unknown`: neither, or something else went wrong. */
export type Width = 'wide' | 'narrow' | 'unknown';

export const narrowWayCure =
  'let ICMP "fragmentation needed" through, lower the MTU of this interface (ip link set dev NAME mtu 1280), or set net.ipv4.tcp_mtu_probing=1';

/** Two lines, since a proxy may not take one of more than 8 KiB; together more than a jumbo frame of 9,000 bytes. */
const padding = { 'x-padding-1': 'x'.repeat(6000), 'x-padding-2': 'x'.repeat(6000) };

/**
 * Whether packets of full size reach the collector, asked with two requests on connections of their own: what becomes of them harms no
 * session. Whatever is answered will do, be it a refusal. Never rejects.
 */
export async function probeWay(options: ProbeOptions): Promise<Width> {
  const [small, large] = await Promise.all([ask(options, {}), ask(options, padding)]);
  if (large === 'answered') return 'wide';
  return small === 'answered' && large === 'silent' ? 'narrow' : 'unknown';
}

async function ask(
  { url, ca, timeoutMs, clock, signal, lookup }: ProbeOptions,
  headers: Record<string, string>,
): Promise<'answered' | 'silent' | 'failed'> {
  const target = new URL(url);
  const isSecure = url.protocol === 'wss:';
  target.protocol = isSecure ? 'https:' : 'http:';
  const done = new AbortController();
  const giveUp = () => done.abort();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await new Promise((resolve) => {
      const request = (isSecure ? askSecurely : askPlain)(target, {
        method: 'HEAD',
        agent: false,
        headers,
        ...(ca === undefined ? {} : { ca }),
        ...(lookup === undefined ? {} : { lookup }),
      });
      const settle = (outcome: 'answered' | 'silent' | 'failed') => {
        resolve(outcome);
        request.destroy();
      };
      request.once('response', () => settle('answered'));
      request.on('error', () => settle('failed'));
      request.end();
      void clock.sleep(timeoutMs, done.signal).then(() => settle(signal.aborted ? 'failed' : 'silent'));
    });
  } finally {
    giveUp();
    signal.removeEventListener('abort', giveUp);
  }
}
