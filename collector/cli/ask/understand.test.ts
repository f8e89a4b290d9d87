import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { understand } from './understand.ts';

const failures = failureStatuses.join(',');

describe('a sentence', () => {
  it.each([
    ['Start monitoring all jobs in the cluster', 'watch start --for 0'],
    ['Monitor jobs in project ml-team', 'watch start --project ml-team --for 0'],
    ['Start monitoring ml-team project jobs', 'watch start --project ml-team --for 0'],
    [
      'monitor projects ml-team, data-science and research',
      'watch start --project ml-team --project data-science --project research --for 0',
    ],
    ['Monitor all jobs for 30 minutes', 'watch start --for 30m'],
    ['Monitor all jobs for the next hour', 'watch start --for 1h'],
    ['please watch this project for half an hour', 'watch start --for 30m'],
    ['Monitor for job failures', 'watch start --for 0 --only-failed'],
    [
      'watch project ML for two days, failures only, at most 3 alerts',
      'watch start --project ML --for 2d --only-failed --max-alerts-per-job 3',
    ],
    ['What is the monitoring status?', 'watch status'],
    ['which projects are being monitored?', 'watch status'],
    ['How do I use proactive monitoring?', 'watch --help'],
    ['stop monitoring 01jd3q', 'watch stop 01jd3q'],
  ])('R92 controls watches: %s', (sentence, command) => {
    expect(understand(sentence)?.join(' ')).toBe(command);
  });

  it.each([
    ['What failed in the last 2 hours?', `tasks --status ${failures} --since 2h`],
    ['show failures of project web today', `tasks --status ${failures} --project web --since 24h`],
    ['which tasks failed on node gpu-7 over the weekend', `tasks --status ${failures} --node gpu-7 --since 3d`],
    ['what ran out of memory this week', 'tasks --status killed_oom --since 7d'],
    ['Why did 3fa9c1 fail?', 'tasks show 3fa9c1'],
    ['why was nobody told about task 3fa9c1', 'explain task 3fa9c1'],
    ['which node fails most in the last week', 'analytics failures --by node --since 7d'],
    ['which machines are down?', 'check nodes'],
    ['is everything ok?', 'incidents'],
    ["what's running", 'tasks --status running'],
  ])('R92 asks: %s', (sentence, command) => {
    expect(understand(sentence)?.join(' ')).toBe(command);
  });

  it.each(['', 'hello', 'order pizza for 30 minutes', 'delete everything'])('is not guessed at: %s', (sentence) => {
    expect(understand(sentence)).toBeUndefined();
  });

  it('becomes no option by a name in it, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (name) => {
        const args = understand(`monitor project ${name} for 5 minutes`) ?? [];
        const known = ['--project', '--for', '--only-failed', '--max-alerts-per-job', '--help', '--status'];

        expect(args.filter((arg) => arg.startsWith('-') && !known.includes(arg))).toEqual([]);
      }),
    );
  });

  it('is no longer than a sentence', () => {
    expect(understand(`monitor ${'project a, '.repeat(100)}`)).toBeUndefined();
  });
});
