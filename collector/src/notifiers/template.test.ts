import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { failedTask, samples } from '../../../test/support/notifications.ts';
import { checkTemplates, createRender } from './template.ts';

function renderer(text: string, subject?: string) {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  return { render: createRender({ text, subject }, { receiver: 'mail', log }), lines };
}
const textOf = async (text: string, told = samples.failed) => (await renderer(text).render(told)).text;

describe('a template', () => {
  it('sees the public body and the words that would be said', async () => {
    const { render } = renderer(
      '{{ title }}\n{{ task.name }} on {{ node.name }}: {{ task.verdict.cause }}\n{% for fact in facts limit: 2 %}{{ fact.label }}={{ fact.value }} {% endfor %}\n{{ at | date: "%H:%M" }} {{ link }}',
      '[{{ tone | upcase }}] {{ title }}',
    );

    expect(await render(samples.failed)).toEqual({
      subject: '[BAD] train-42 on gpu-7 failed: exit code 1',
      text: 'train-42 on gpu-7 failed: exit code 1\ntrain-42 on gpu-7: exit_code\nerror=ValueError: bad batch job=ml-team/train \n12:00 https://watch.example.org/#/incidents/0199f3a0-0000-7000-8000-000000000001',
    });
  });

  it('asks whether there is a task, and says nothing of what is not there', async () => {
    const text = '{% if task %}{{ task.name }}{% else %}{{ condition.type }}{% endif %}';

    expect(await textOf(text)).toBe('train-42');
    expect(await textOf(text, samples.fired)).toBe('MemoryPressure');
  });

  it('F109 that fails gives way to the built-in words, and says so once', async () => {
    const { render, lines } = renderer('{{ taks.name }}', '{{ title }}');

    for (let count = 0; count < 3; count += 1)
      expect(await render(samples.failed)).toEqual({
        subject: null,
        text: null,
        note: expect.stringMatching(
          /^the template failed and the built-in text stands in: undefined variable: taks, line:1/,
        ),
      });
    expect(lines).toHaveLength(1);
  });

  it('F109 that yields nothing gives way too', async () => {
    expect((await renderer('{% if false %}x{% endif %}').render(samples.failed)).note).toMatch(
      /nothing came out of it/,
    );
  });

  it.each([
    '{% for a in (1..100000) %}{% for b in (1..100000) %}{% endfor %}{% endfor %}',
    '{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}{{ c }}{% endfor %}{% endfor %}{% endfor %}',
    '{% assign s = "xxxxxxxxxx" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}',
  ])('F109 that would take all time or memory is cut off: %s', async (text) => {
    const startedAt = performance.now();
    const { note } = await renderer(text).render(samples.failed);

    expect(note).toMatch(/limit exceeded/);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it.each(['{{ task.constructor }}', '{{ title.constructor.constructor }}', '{{ task.__proto__.toString }}'])(
    'reaches nothing beyond its words: %s',
    async (text) => {
      expect((await renderer(text).render(samples.failed)).note).toMatch(/undefined variable/);
    },
  );

  it('F111 F116 writes lines that only show, and a subject of one line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (name) => {
        const task = { ...failedTask, name: `x${name}\r\nBcc: eve` };
        const { subject, text } = await renderer('a\n{{ task.name }}', '{{ task.name }}').render({
          ...samples.failed,
          task,
        });
        expect(subject).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        expect(text?.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }),
      { numRuns: 20 },
    );
  });
});

describe('templates at the start', () => {
  it.each([
    [
      '{{ title',
      /^notifications\.notifiers\.mail\.template\.text: not a template: output "{{ title" not closed, line:1/,
    ],
    ['ok\n{% bad %}', /tag "bad" not found, line:2/],
    ['{{ title | shout }}', /undefined filter: shout, line:1/],
    ['{% include "/etc/passwd" %}', /tag "include" not found/],
    ['{% render "/etc/passwd" %}', /tag "render" not found/],
  ])('F086 are refused with key and line: %j', async (text, sentence) => {
    await expect(checkTemplates({ mail: { template: { text } } })).rejects.toThrow(sentence);
  });

  it('are taken when they can be read', async () => {
    await expect(checkTemplates({ log: {}, mail: { template: { subject: '{{ title }}' } } })).resolves.toBeUndefined();
  });
});
