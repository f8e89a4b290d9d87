import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import * as z from 'zod/mini';
import type { Rate } from './notifier.ts';

/* Kinds of setting that several notifiers have. */

/** Below the lease of a claim (30 s), with room for the settlement. */
const timeoutMsMax = 25_000;

/** Of one attempt, in milliseconds. */
export const timeout = z._default(
  field.duration.check(
    z.refine((ms) => ms > 0 && ms <= timeoutMsMax, { error: 'expected a duration above 0 and up to 25s' }),
  ),
  10_000,
);

const spansMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** How many a receiver gets at most: `30/m`. */
export const rateLimit = z.optional(
  z.pipe(
    field.text,
    z.transform((value, context): Rate => {
      const [, digits = '', unit = ''] = /^\s*(\d{1,6})\s*\/\s*([smh])\s*$/.exec(value) ?? [];
      const perMs = spansMs[unit];
      if (Number(digits) > 0 && perMs !== undefined) return { count: Number(digits), perMs };
      const message = 'expected how many within what time, such as 5/s, 30/m or 1000/h';
      context.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    }),
  ),
);

/** Without log lines, proof and advice: for who must not see them, or does not want to. */
export const brief = z.optional(field.boolean);

/** RFC 9110 section 5.1: a token. The names that we set ourselves are not for others to set. */
function refuseHeader(name: string): string | null {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return 'expected an HTTP header name';
  const isOurs = /^(host|connection|content-length|content-type|transfer-encoding|webhook-.*)$/i.test(name);
  return isOurs ? 'this header is set by runnerwatch itself' : null;
}
const headerValue = z
  .string({ error: 'expected text' })
  .check(z.regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'expected one line of text' }));

/** HTTP headers by name. */
export const headers = z._default(field.mapOf(headerValue, refuseHeader), {});

/**
 * An address from a file of its own comes after the configuration was checked. It may hold a token, so it is not repeated.
 * @throws StartFailure for one that is none.
 */
export function usableUrl(receiver: string, url: string | undefined): URL {
  if (url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new StartFailure(
    'config',
    `notifications.notifiers.${receiver}.url: expected a URL such as https://example.org/hook`,
  );
}

/**
 * A secret may come from a file too, and has to be one that can stand in a header.
 * @throws StartFailure for one that cannot.
 */
export function usableSecret(receiver: string, key: string, secret: string | undefined): string {
  if (secret !== undefined && /^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new StartFailure(
    'config',
    `notifications.notifiers.${receiver}.${key}: expected one word of letters, digits and signs`,
  );
}

/** What of a webhook's address lets others post: the long parts of its path and of its parameters. */
export function secretsIn({ pathname, searchParams }: URL): string[] {
  return [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length > 8);
}

/** A path below an API's address, whether that ends with a slash or not. */
export function below(apiUrl: string, path: string): URL {
  return new URL(`${apiUrl.replace(/\/+$/, '')}/${path}`);
}
