import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { describe, expect, it } from 'vitest';
import { failedTask, samples } from '../../../test/support/notifications.ts';
import { oneLine, spanText } from './text.ts';
import {
  classOf,
  endsIncident,
  evidenceOf,
  factsOf,
  groupOf,
  leavesIncidentOpen,
  linesOf,
  linkOf,
  sentenceOf,
  titleOf,
  toneOf,
} from './wording.ts';

describe('what a notification says', () => {
  it.each([
    ['failed', 'bad', 'train-42 on gpu-7 failed: exit code 1'],
    ['oom', 'bad', 'train-42 on gpu-7 was killed: out of memory (limit 4 GiB)'],
    ['amended', 'bad', 'Corrected: train-42 on gpu-7 was killed: out of memory (limit 4 GiB)'],
    ['completed', 'good', 'train-42 on gpu-7 ended well'],
    ['escalated', 'bad', 'Not acknowledged for 15 min: train-42 on gpu-7 failed: exit code 1'],
    ['unreachable', 'bad', 'gpu-7 is unreachable, and 3 tasks with it'],
    ['recovered', 'good', 'gpu-7 is back after 12 min'],
    ['fired', 'warning', 'Memory pressure on gpu-7'],
    ['renotified', 'warning', 'Still after 12 min: Memory pressure on gpu-7 (reminder 4)'],
    ['resolved', 'good', 'Resolved after 12 min: Memory pressure on gpu-7'],
    ['test', 'info', 'This is a test of Runnerwatch'],
  ] as const)('%s is %s: %s', (name, tone, title) => {
    expect([toneOf(samples[name]), titleOf(samples[name])]).toEqual([tone, title]);
  });

  it('says of an escalation who was told before, and then the cause as it was told', () => {
    expect(sentenceOf(samples.escalated)).toBe(
      `Escalation: nobody has acknowledged it for 15 min; ops was told at 2026-11-22 11:45:00 UTC. ${sentenceOf(samples.failed)}`,
    );
    expect(factsOf(samples.escalated)).toEqual(factsOf(samples.failed));
  });

  it('calls a task without a readable name by its id', () => {
    const nameless = { ...samples.failed, task: { ...failedTask, name: ' \u202e ', task_id: 'job-17' } };
    expect(titleOf(nameless)).toMatch(/^job-17 on /);
  });

  it('calls what is about many nodes by its incident, and says how many more failed alike', () => {
    const { incident } = samples.unreachable;
    const many = { ...samples.unreachable, node: null, incident: incident && { ...incident, title: '30 of 40 nodes' } };
    expect(titleOf(many)).toBe('30 of 40 nodes');
    expect(titleOf({ ...many, type: 'node.recovered' })).toBe('Resolved: 30 of 40 nodes');

    const group = [{ task: failedTask }, { task: failedTask }];
    const digest = { ...samples.failed, type: 'digest' as const, group, group_size: 499 };
    expect(titleOf(digest)).toBe(samples.failed.incident?.title);
    expect(sentenceOf(digest)).toBe('499 more failed alike since the last message.');
    expect(groupOf(digest, 1)).toMatchObject({ more: 498 });
    expect(sentenceOf({ ...digest, incident: null })).toBe('499 failed since the last message.');
    expect([toneOf(digest), titleOf({ ...digest, incident: null })]).toEqual(['bad', '499 tasks failed']);
  });

  it('names what a condition is about inside its node', () => {
    const { condition } = samples.fired;
    const about = (subject: string) =>
      titleOf({ ...samples.fired, ...(condition && { condition: { ...condition, subject } }) });

    expect(about('trainer')).toBe('Memory pressure: trainer on gpu-7');
    expect(about('')).toBe('Memory pressure on gpu-7');
    expect(titleOf({ ...samples.fired, task: failedTask })).toBe('Memory pressure: train-42 on gpu-7');
  });

  it('gives the verdict as a sentence, with its doubt', () => {
    const { verdict } = failedTask;
    const likely = { ...failedTask, verdict: verdict && { ...verdict, confidence: 'likely' as const } };

    expect(sentenceOf(samples.failed)).toBe('Failed with exit 1.');
    expect(sentenceOf({ ...samples.failed, task: likely })).toBe('Failed with exit 1. This is likely, not proven.');
    expect(sentenceOf(samples.fired)).toBe('Memory 95% used (threshold 90%).');
  });

  it('leaves out what is not known and what the title has said, and says how late an end is told', () => {
    const task = { ...failedTask, owner: null, command: null, ended_at: '2026-11-22T06:00:00.000Z' };
    const facts = Object.fromEntries(
      factsOf({ ...samples.failed, task }).map(({ label, value }) => [label, value] as const),
    );

    expect(facts).toEqual({
      job: 'ml-team/train',
      error: 'ValueError: bad batch',
      'peak memory': '3 GiB of 4 GiB',
      'ran for': '2 h',
      started: '2026-11-22 10:00:00 UTC',
      ended: '2026-11-22 06:00:00 UTC (told 6 h later)',
      'task id': '7201938475',
    });
  });

  it('says of a condition since when it holds, unless the title says how long', () => {
    const collector = samples.fired.condition && { ...samples.fired.condition, component: 'collector' as const };

    expect(factsOf(samples.fired)).toEqual([{ label: 'since', value: '2026-11-22 11:48:00 UTC' }]);
    expect([samples.renotified, samples.resolved, samples.recovered].flatMap(factsOf)).toEqual([]);
    expect(factsOf({ ...samples.renotified, condition: collector })).toEqual([
      { label: 'component', value: 'collector' },
    ]);
    expect(factsOf({ ...samples.renotified, node: null, condition: collector })).toEqual([]);
  });

  it('is as bad as its incident: what a person stopped wakes nobody', () => {
    const stopped = samples.failed.incident && { ...samples.failed.incident, severity: 'info' as const };

    expect(toneOf({ ...samples.failed, incident: null })).toBe('bad');
    expect(toneOf({ ...samples.failed, incident: stopped })).toBe('info');
  });

  it('ends an incident, or leaves it open, with an alert that is over', () => {
    const { resolved, fired, completed } = samples;
    const still = { ...resolved, incident: fired.incident };
    const judge = (one: Notification) => [endsIncident(one), leavesIncidentOpen(one)];

    expect([resolved, still, fired, completed].map(judge)).toEqual([
      [true, false],
      [false, true],
      [false, false],
      [false, false],
    ]);
  });

  it('F115 links to web addresses only, in which nothing is markup', () => {
    const at = (url: string | null) =>
      linkOf({ ...samples.failed, incident: samples.failed.incident && { ...samples.failed.incident, url } });

    expect(at('https://w.example/x)(|y')).toBe('https://w.example/x%29%28%7Cy');
    expect(
      [null, 'javascript:alert(1)', 'no url', `http://a.b/${'x'.repeat(600)}`].map(at).filter((link) => link !== null),
    ).toEqual([]);
  });

  it('shows what says why it failed before the end of its log, and no log with a condition', () => {
    expect(linesOf(samples.failed)[0]).toBe('Traceback (most recent call last):');
    expect(linesOf(samples.oom)).toEqual(['epoch 9', 'ValueError: bad batch']);
    expect(linesOf({ ...samples.fired, task: failedTask })).toEqual([]);
  });

  it('counts the tasks for which there is no room', () => {
    expect(groupOf(samples.unreachable, 2)).toEqual({
      lines: ['train-1 is lost (ada)', 'train-2 is lost (ada)'],
      more: 1,
    });
  });

  it('names its class as mail is sorted by', () => {
    expect([samples.failed, samples.unreachable, samples.fired].map(classOf)).toEqual([
      'Alert: Task Failures',
      'Node Status Alert',
      'Alert: Conditions',
    ]);
  });

  it('F111 F116 keeps every text on one line that only shows', () => {
    const name = 'a\r\nBcc: x@y\u001b[31m\u202eb\ud800';
    const task = {
      ...failedTask,
      name,
      command: name,
      verdict: failedTask.verdict && { ...failedTask.verdict, summary: name },
    };
    const said = { ...samples.failed, task };
    const texts = [titleOf(said), sentenceOf(said), ...factsOf(said).map(({ value }) => value), ...evidenceOf(said)];

    for (const text of texts) expect(text).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
    expect(oneLine(name)).toBe('a Bcc: x@y [31m b\ufffd');
  });
});

describe('a span', () => {
  it.each([
    [-5, '0 s'],
    [400, '0.4 s'],
    [40_000, '40 s'],
    [720_000, '12 min'],
    [7_200_000, '2 h'],
    [604_800_000, '7 d'],
  ])('%i ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});
