import { createRedact } from '@runnerwatch/shared/redact/redact.ts';
import { expect, it } from 'vitest';
import { withoutSecrets } from './without-secrets.ts';

const redact = createRedact({ isEnabled: true, patterns: [] });

it('F125 every text of an event loses its secrets, and what things are known by stays', () => {
  const id = '5d672d79-0000-8000-8000-123456789abc';
  const container = '0123456789abcdef'.repeat(4);
  const token = `hf_${'aB3d'.repeat(9)}`;
  const event = {
    kind: 'task_ended',
    task: {
      id,
      task_id: token,
      container_id: container,
      command: `train --hub ${token}`,
      job: null,
      name: 'n\u001b[1m',
    },
    ending: { exit_code: 1, verdict: { evidence: [{ fact: `token=${token}` }], advice: [`use ${token}`] } },
    log_tail: ['finished before'],
  };

  expect(withoutSecrets(event, redact)).toEqual({
    ...event,
    task: { ...event.task, command: 'train --hub [redacted: hugging face token]', name: 'n' },
    ending: {
      exit_code: 1,
      verdict: {
        evidence: [{ fact: 'token=[redacted: hugging face token]' }],
        advice: ['use [redacted: hugging face token]'],
      },
    },
  });
});
