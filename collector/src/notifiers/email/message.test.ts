import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failedTask, samples } from '../../../../test/support/notifications.ts';
import { emailMessage } from './message.ts';

const envelope = {
  from: { name: 'Watch', address: 'watch@example.org' },
  to: ['ops@example.org'],
  subjectPrefix: 'HakuRiver',
};
const mailOf = (notification: Notification) => emailMessage(notification, envelope);

describe('a mail', () => {
  it.each([
    ['failed', 'HakuRiver Alert: Task Failures - train-42 on gpu-7 failed: exit code 1'],
    [
      'amended',
      'HakuRiver Alert: Task Failures - Corrected: train-42 on gpu-7 was killed: out of memory (limit 4 GiB)',
    ],
    ['completed', 'HakuRiver Tasks - train-42 on gpu-7 ended well'],
    ['unreachable', 'HakuRiver Node Status Alert - gpu-7 is unreachable, and 3 tasks with it'],
    ['recovered', 'HakuRiver Node Status Alert - gpu-7 is back after 12 min'],
    ['renotified', 'HakuRiver Alert: Conditions - Still after 12 min: Memory pressure on gpu-7 (reminder 4)'],
    ['test', 'HakuRiver Test - This is a test of Runnerwatch'],
  ] as const)('of %s has the subject %s', (name, subject) => {
    expect(mailOf(samples[name]).subject).toBe(subject);
  });

  it('says the verdict first, then what to do, the facts, the proof, and the last lines', () => {
    expect(mailOf(samples.failed).text).toBe(`train-42 on gpu-7 failed: exit code 1

Failed with exit 1.

What to do:
- Look at the last lines of its log.

error:       ValueError: bad batch
job:         ml-team/train
owner:       ada
command:     python train.py --epochs 10
peak memory: 3 GiB of 4 GiB
ran for:     2 h
started:     2026-11-22 10:00:00 UTC
ended:       2026-11-22 11:59:59 UTC
task id:     7201938475

What proves it:
- systemd, 2026-11-22 11:59:59 UTC: main process exited, code=exited, status=1

Its last lines:
| Traceback (most recent call last):
| ValueError: bad batch

https://watch.example.org/#/incidents/0199f3a0-0000-7000-8000-000000000001
`);
  });

  it('lists the tasks that a lost node took with it', () => {
    expect(mailOf(samples.unreachable).text).toContain(
      'Told together:\n- train-1 is lost (ada)\n- train-2 is lost (ada)\n- train-3 is lost (ada)\n',
    );
  });

  it('belongs to the thread of its incident, and to none without one', () => {
    const [fired, resolved] = [mailOf(samples.fired), mailOf(samples.resolved)];

    expect(fired.references).toBe('<incident.0199f3a0-0000-7000-8000-000000000001@example.org>');
    expect(resolved.references).toBe(fired.references);
    expect(resolved.messageId).not.toBe(fired.messageId);
    expect(mailOf(samples.test)).not.toHaveProperty('references');
  });

  it('has a page with the same words, a block of the last lines, and a link', () => {
    const { html } = mailOf(samples.failed);

    expect(html).toContain('>train-42 on gpu-7 failed: exit code 1</h1>');
    expect(html).toMatch(/<pre[^>]*>Traceback \(most recent call last\):\nValueError: bad batch<\/pre>/);
    expect(html).toContain('<a href="https://watch.example.org/#/incidents/0199f3a0-0000-7000-8000-000000000001"');
    expect(html).not.toMatch(/<(img|script|link|iframe)|url\(/);
  });

  it('F115 F116 shows every text as text, and links only http', () => {
    const tags = (html: string) => html.match(/<[^>]*>/g);
    const harmless = tags(mailOf({ ...samples.failed, task: { ...failedTask, name: 'x' } }).html);
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('</pre><script>', '"><img src=x>', "' on=a")),
        (text) => {
          const task = {
            ...failedTask,
            name: `x${text}`,
            command: `x${text}`,
            error_message: `x${text}`,
            log_tail: [],
            error_excerpt: [text, 'x'],
          };
          const { html, subject, text: plain } = mailOf({ ...samples.failed, task });
          expect(tags(html)).toEqual(harmless);
          for (const one of [subject, plain.replaceAll('\n', ''), html.replaceAll('\n', '')])
            expect(one).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
        },
      ),
    );
    const { incident } = samples.failed;
    const link = mailOf({ ...samples.failed, incident: incident && { ...incident, url: 'javascript:alert(1)' } });
    expect(link.html).not.toContain('javascript:');
  });

  it('F109 F111 has a subject of one line and bounded length', () => {
    const { subject } = mailOf({
      ...samples.failed,
      task: { ...failedTask, name: `${'long '.repeat(100)}\r\nBcc: x` },
    });

    expect(subject.length).toBeLessThanOrEqual(200);
    expect(subject).toMatch(/^HakuRiver Alert: Task Failures - long .*…$/);
  });
});
