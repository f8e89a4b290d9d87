import { builtIn, type Rendered, subjectLine, textLines } from '@runnerwatch/collector/notifiers/template.ts';
import {
  type GroupMember,
  groupMember,
  type Notification,
  notificationType,
  type TaskFacts,
} from '@runnerwatch/shared/model/notification.ts';
import { cause, taskStatus } from '@runnerwatch/shared/model/task.ts';
import fc from 'fast-check';
import { failedTask, gpuNode, pressure, samples } from './notifications.ts';

/* What every service's messages are judged with: the samples, and any number of wild notifications. */

/** What a service makes of each of them, as text that is kept beside its test and read by people. */
export function goldenOf(render: (notification: Notification) => unknown): string {
  return Object.entries(samples)
    .map(([name, notification]) => `# ${name}\n${JSON.stringify(render(notification), null, 2)}\n`)
    .join('\n');
}

/** Markup, mentions and links of every service, breaks of every kind, and text that is far too long. */
export const hostileTexts = [
  '<!channel> <!here> <!everyone> <@U024BE7LH> <#C024BE7LR|x> <!subteam^S1>',
  '<https://evil.example|open the incident> &lt;!channel&gt; &amp;',
  '@everyone @here @channel @all @ada <@123> <@&456> <#789> ~town-square',
  '*bold* _italic_ ~~gone~~ ||spoiler|| `code` ```fence``` # head > quote - list [x](https://evil.example) ![i](http://e/i.png)',
  '[inline](tg://user?id=1) /start #tag $USD __under__ \\ \\\\ \\` .!(){}',
  '<at>Ada</at> <b>bold</b> <script>alert(1)</script> <img src=x onerror=alert(1)> {{DATE(2026-01-01T00:00:00Z, SHORT)}} ${x}',
  'a\r\nX-Priority: 5\r\n\r\nbody \u0000 \u001b[31mred\u001b[0m \u202egnp.exe \u2066x\u2069 \u0085',
  '\ud83d half, \ude00 half, \udfff',
  '``'.repeat(3000),
  '{{DATE('.repeat(3000),
  '<&>'.repeat(5000),
  '😀'.repeat(9000),
  'ж'.repeat(20_000),
  'a\n'.repeat(5000),
  '"\\'.repeat(9000),
  '',
  ' ',
] as const;

/** What is markup at the beginning of a line. */
const hostileLines = [
  '- item',
  '12. item',
  '3) item',
  '+ item',
  '    code',
  '\tcode',
  '===',
  '---',
  'a\n===',
  '```sh',
  '> x',
] as const;

const text = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.array(fc.nat(0xffff), { maxLength: 200 }).map((units) => String.fromCharCode(...units)),
);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const bytes = orNull(fc.nat(2 ** 40));

const lost = (name: string): GroupMember =>
  groupMember.parse({ task: { ...failedTask, name, task_id: name, status: 'lost', exit_code: null } });
const manyNames = [Array<string>(1500).fill('t'), Array<string>(300).fill('<@>'.repeat(30))] as const;
const urls = [
  null,
  'https://watch.example.org/#/incidents/inc-1',
  `https://watch.example.org/${'&'.repeat(470)}`,
  `https://watch.example.org/${'x'.repeat(3000)}`,
  'https://watch.example.org/)](|<b>*_@here',
  'javascript:alert(1)',
] as const;

const wildTask: fc.Arbitrary<TaskFacts> = fc
  .record({
    status: fc.constantFrom(...taskStatus.options),
    verdict: orNull(
      fc.record({
        cause: fc.constantFrom(...cause.options),
        confidence: fc.constantFrom('proven', 'likely', 'unknown'),
        summary: text,
        evidence: fc.array(fc.record({ source: text, at: fc.constant(samples.failed.at), fact: text }), {
          maxLength: 8,
        }),
        advice: fc.array(text, { maxLength: 5 }),
      }),
    ),
    name: text,
    task_id: text,
    job: orNull(text),
    project: orNull(text),
    owner: orNull(text),
    signal: orNull(text),
    exit_code: orNull(fc.nat(255)),
    error_message: orNull(text),
    memory_peak_bytes: bytes,
    memory_limit_bytes: bytes,
    log_tail: orNull(fc.array(text, { maxLength: 30 })),
    error_excerpt: orNull(fc.array(text, { maxLength: 30 })),
  })
  .map((more): TaskFacts => ({ ...failedTask, ...more }));

/** Anything the model allows, with texts chosen to break something. */
export const wildNotification: fc.Arbitrary<Notification> = fc
  .record({
    type: fc.constantFrom(...notificationType.options),
    incident: orNull(
      fc.record({
        title: text,
        url: fc.constantFrom(...urls),
        status: fc.constantFrom('open', 'resolved'),
        severity: fc.constantFrom('info', 'warning', 'critical'),
      }),
    ),
    reason: orNull(text),
    task: orNull(wildTask),
    nodeName: orNull(text),
    repeat: fc.nat(1000),
    names: fc.oneof(fc.array(text, { maxLength: 60 }), fc.constantFrom(...manyNames)),
  })
  .map(
    ({ reason, task: told, nodeName, names, ...rest }): Notification => ({
      version: 1,
      id: 'msg-1',
      at: samples.failed.at,
      transition: 'fired',
      type: rest.type,
      repeat: rest.repeat,
      incident: rest.incident === null ? null : { id: 'inc-1', ...rest.incident },
      node: nodeName === null ? null : { ...gpuNode, name: nodeName },
      ...(reason === null ? {} : { condition: { ...pressure, reason } }),
      ...(told === null ? {} : { task: told }),
      ...(names.length === 0 ? {} : { group: names.map(lost) }),
    }),
  );

/** What a template makes of such texts, one or several of them on lines of their own. */
const wildWords: fc.Arbitrary<Rendered> = fc
  .record({ subject: text, text: fc.array(fc.oneof(text, fc.constantFrom(...hostileLines)), { maxLength: 6 }) })
  .map((words) => ({
    subject: subjectLine(words.subject) || null,
    text: textLines(words.text.join('\n')) || null,
  }));

/** The samples by name and a hundred wild ones, in the built-in words and in those of a template. */
export function forAnyNotification(check: (notification: Notification, words: Rendered) => void): void {
  for (const notification of Object.values(samples)) check(notification, builtIn);
  fc.assert(fc.property(wildNotification, fc.oneof(fc.constant(builtIn), wildWords), check));
}

/** Every string in a payload. */
export function textsIn(payload: unknown): string[] {
  if (typeof payload === 'string') return [payload];
  return payload !== null && typeof payload === 'object' ? Object.values(payload).flatMap(textsIn) : [];
}
