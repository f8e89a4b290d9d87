import * as z from 'zod/mini';
import { parseDuration } from './duration.ts';
import { parseSize } from './size.ts';

/*
 * The kinds of value a configuration key can have. Each says in its own words what it expects; load-config.ts adds where.
 */

const parsed = <T>(parse: (value: string | number) => T | undefined, expected: string) =>
  z.pipe(
    z.union([z.string(), z.number()], { error: expected }),
    z.transform((value, context): T => {
      const result = parse(value);
      if (result !== undefined) return result;
      context.issues.push({ code: 'custom', message: expected, input: value });
      return z.NEVER;
    }),
  );

/** A Go-style duration, read to milliseconds. */
export const duration = parsed(parseDuration, 'expected a duration such as 250ms, 30s, 5m or 1h30m (0 turns it off)');

/** A size, read to bytes. */
export const size = parsed(parseSize, 'expected a size such as 512MiB, or a number of bytes');

const numeric = (accept: (value: number) => boolean, expected: string) =>
  parsed((value) => {
    const number = typeof value === 'number' ? value : value.trim() === '' ? Number.NaN : Number(value);
    return Number.isFinite(number) && accept(number) ? number : undefined;
  }, expected);

export const percent = numeric((value) => value > 0 && value <= 100, 'expected a percentage above 0 and up to 100');
export const positive = numeric((value) => value > 0, 'expected a number above 0');
export const count = numeric((value) => Number.isInteger(value) && value >= 0, 'expected a whole number of 0 or more');

export const flag = parsed(
  (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
  'expected true or false',
);

/** true and false, also as text from the environment. */
export const boolean = z.union([z.boolean(), flag], { error: 'expected true or false' });

export const text = z
  .string({ error: 'expected text' })
  .check(z.minLength(1, { error: 'expected text that is not empty' }));

export const httpUrl = z.string({ error: 'expected a URL such as http://collector:4777' }).check(
  z.refine((value) => URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol), {
    error: 'expected a URL such as http://collector:4777',
  }),
);

export const path = z
  .string({ error: 'expected an absolute path' })
  .check(z.regex(/^\//, { error: 'expected an absolute path (one that begins with /)' }));

/** A list, also given as comma-separated text from the environment. */
export const listOf = <T extends z.core.$ZodType>(item: T) =>
  z.pipe(
    z.transform((value: unknown) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    ),
    z.array(item, { error: 'expected a list' }),
  );

/** A map whose keys are judged too: a sentence of refusal, or null. */
export function mapOf<T extends z.ZodMiniType>(value: T, refuseKey: (key: string) => string | null) {
  return z.record(z.string(), value, { error: 'expected keys and values' }).check((context) => {
    for (const key of Object.keys(context.value)) {
      const message = refuseKey(key);
      if (message !== null) context.issues.push({ code: 'custom', path: [key], input: key, message });
    }
  });
}

/** For a section in which exactly one of `x` and `x_file` stands. */
export function eitherOr<K extends string>(key: K) {
  return (context: z.core.ParsePayload<{ readonly [P in K | `${K}_file`]?: unknown }>): void => {
    const { [key]: plain, [`${key}_file` as const]: file } = context.value;
    if ((plain === undefined) !== (file === undefined)) return;
    const message = `expected either ${key} or ${key}_file`;
    context.issues.push({ code: 'custom', path: [key], input: plain, message });
  };
}
