import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';

const address = field.httpUrl.check(
  z.refine((value) => !URL.canParse(value) || (new URL(value).username === '' && new URL(value).password === ''), {
    error: 'expected a URL without a user and password; a token goes under token or token_file',
  }),
);

const scheduler = z.strictObject({
  type: z.enum(['hakuriver', 'kohakuriver'], { error: 'expected hakuriver or kohakuriver' }),
  /** What it is called everywhere; its memory hangs on it. The type, unless said. */
  name: z.optional(
    field.text.check(
      z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: 'expected a name of letters, digits, dots, dashes and underscores',
      }),
    ),
  ),
  url: address,
  token: z.optional(field.text),
  token_file: z.optional(field.path),
  poll_interval: z._default(
    field.duration.check(z.refine((ms) => ms >= 1000 && ms <= 300_000, { error: 'expected from 1s to 5m' })),
    5000,
  ),
});
export type SchedulerConfig = z.output<typeof scheduler>;

/** The `schedulers:` section of collector.yaml. */
export const schedulersConfig = z._default(
  z.array(scheduler, { error: 'expected a list of schedulers' }).check((context) => {
    const names = context.value.map(nameOf);
    names.forEach((name, index) => {
      if (names.indexOf(name) !== index)
        context.issues.push({
          code: 'custom',
          path: [index, 'name'],
          input: name,
          message: `there are two schedulers named ${name}; give one another name`,
        });
    });
  }),
  [],
);

export function nameOf({ name, type }: Pick<SchedulerConfig, 'name' | 'type'>): string {
  return name ?? type;
}
