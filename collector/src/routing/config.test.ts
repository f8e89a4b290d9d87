import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import { notificationsConfig, notifiersOf, policyOf } from './config.ts';

function load(content: string) {
  const path = join(temporaryFolderSync(), 'collector.yaml');
  writeFileSync(path, content);
  return loadConfig(z.strictObject({ notifications: notificationsConfig }), {
    file: { path, required: true },
    environment: {},
  }).notifications;
}

describe('the notifications section', () => {
  it('tells failures and troubles to the log when nothing is configured', () => {
    const policy = policyOf(load(''));

    expect(policy.enabled).toBe(true);
    expect(policy.subscriptions).toEqual([
      {
        name: 'default-log',
        matchers: [],
        events: ['fail', 'timeout', 'condition', 'unreachable'],
        receiver: 'log',
        renotifyIntervalMs: 0,
        groupWindowMs: 5_000,
      },
    ]);
  });

  it('tells them to every configured notifier when there are no subscriptions', () => {
    const config = load(
      'notifications:\n  renotify_interval: 5m\n  notifiers:\n    hook: {type: webhook, url: "http://127.0.0.1:9/x"}\n    say: {type: log}\n',
    );

    expect(
      policyOf(config).subscriptions.map(({ receiver, renotifyIntervalMs }) => [receiver, renotifyIntervalMs]),
    ).toEqual([
      ['hook', 300_000],
      ['say', 300_000],
    ]);
    expect(Object.keys(notifiersOf(config)).toSorted()).toEqual(['hook', 'log', 'say']);
  });

  it('takes the shorthand for one notifier without settings', () => {
    expect(policyOf(load('notifications: {notifier: log}')).subscriptions.map(({ receiver }) => receiver)).toEqual([
      'log',
    ]);
  });

  it('reads subscriptions', () => {
    const config = load(
      'notifications:\n  notifiers: {hook: {type: webhook, url: "http://127.0.0.1:9/x"}}\n' +
        '  subscriptions:\n    - {matchers: {node: "gpu-*", label.rack: [r1, r2]}, events: [end], renotify_interval: 1h}\n',
    );

    expect(policyOf(config).subscriptions).toEqual([
      {
        name: 'subscription-1',
        matchers: [
          { key: 'node', patterns: ['gpu-*'] },
          { key: 'label.rack', patterns: ['r1', 'r2'] },
        ],
        events: ['end'],
        receiver: 'hook',
        renotifyIntervalMs: 3_600_000,
        groupWindowMs: 5_000,
      },
    ]);
  });

  it('reads who else is told, the soonest first, and refuses who is not there or no time', () => {
    const file = (steps: string) =>
      `notifications:\n  notifiers: {ops: {type: log}, oncall: {type: log}}\n  subscriptions:\n    - {receiver: ops, escalate: ${steps}}\n`;

    expect(
      policyOf(load(file('[{after: 1h, receiver: log}, {after: 15m, receiver: oncall}]'))).subscriptions[0]?.escalate,
    ).toEqual([
      { afterMs: 900_000, receiver: 'oncall' },
      { afterMs: 3_600_000, receiver: 'log' },
    ]);
    expect(() => load(file('[{after: 15m, receiver: lead}]'))).toThrow(/there is no notifier named lead/);
    expect(() => load(file('[{after: 0, receiver: ops}]'))).toThrow(/expected a duration above 0/);
  });

  it('reads the secrets of chat and pagers from files', () => {
    const file = join(temporaryFolderSync(), 'secret');
    writeFileSync(file, 's3cr3t\n');
    const config = load(
      `notifications:\n  notifiers:\n    a: {type: slack, bot_token_file: ${file}, channel: C1}\n` +
        `    b: {type: pagerduty, routing_key_file: ${file}}\n    c: {type: opsgenie, api_key_file: ${file}}\n` +
        `    d: {type: ntfy, topic_file: ${file}, token_file: ${file}}\n`,
    );

    expect(config.notifiers).toMatchObject({
      a: { bot_token: 's3cr3t' },
      b: { routing_key: 's3cr3t' },
      c: { api_key: 's3cr3t' },
      d: { topic: 's3cr3t', token: 's3cr3t' },
    });
  });

  it('gives every email notifier the mail server for all, unless it has its own', () => {
    const config = load(
      'notifications:\n  smtp: {host: mail, from: w@example.org}\n  notifiers:\n' +
        '    a: {type: email, to: [a@example.org]}\n    b: {type: email, to: [b@example.org], smtp: {host: other, from: w@example.org}}\n',
    );

    const { a, b } = notifiersOf(config);
    expect([a, b].map((one) => (one?.type === 'email' ? one.smtp?.host : null))).toEqual(['mail', 'other']);
  });

  it.each([
    [
      'notifications: {notifiers: {mail: {type: email, to: [a@example.org]}}}',
      /notifiers\.mail\.smtp: expected a mail server here, or one for all/,
    ],
    ['notifications: {notifiers: {hook: {type: webhook}}}', /hook\.url: expected either url or url_file/],
    ['notifications: {notifiers: {hook: {type: webhook, url: "ftp://x"}}}', /hook\.url: expected a URL/],
    [
      'notifications: {notifiers: {hook: {type: carrier-pigeon}}}',
      /hook\.type: expected a type, one of log, webhook, email, exec, alertmanager, apprise, slack, mattermost/,
    ],
    ['notifications: {notifiers: {chat: {type: slack}}}', /expected one of url, url_file, bot_token, bot_token_file/],
    ['notifications: {notifiers: {chat: {type: slack, bot_token: x}}}', /chat\.channel: expected the channel/],
    [
      'notifications: {notifiers: {chat: {type: slack, url: "http://x", channel: y}}}',
      /chat\.channel: a webhook has its own channel/,
    ],
    [
      'notifications: {notifiers: {chat: {type: discord, url: "http://x", url_file: /y}}}',
      /chat\.url: expected either url or url_file/,
    ],
    ['notifications: {notifiers: {chat: {type: telegram, bot_token: x}}}', /chat\.chat_id: expected the number/],
    ['notifications: {notifiers: {chat: {type: pagerduty}}}', /chat\.routing_key: expected either routing_key or/],
    ['notifications: {notifiers: {chat: {type: gotify, token: x}}}', /chat\.api_url: expected a URL/],
    ['notifications: {notifiers: {chat: {type: ntfy, topic: x, timeout: 0}}}', /chat\.timeout: expected a duration/],
    [
      'notifications: {notifiers: {hook: {type: webhook, url: "http://x", headers: {Webhook-Id: a}}}}',
      /this header is set by runnerwatch itself/,
    ],
    [
      'notifications: {notifiers: {hook: {type: webhook, url: "http://x", headers: {x-a: "b\\nc"}}}}',
      /headers\.x-a: expected one line/,
    ],
    [
      'notifications: {notifiers: {hook: {type: webhook, url: "http://x", timeout: 1m}}}',
      /timeout: expected a duration above 0 and up to 25s/,
    ],
    [
      'notifications: {subscriptions: [{receiver: nobody}]}',
      /:1:\d+: notifications\.subscriptions\.0\.receiver: there is no notifier named nobody/,
    ],
    ['notifications: {subscriptions: [{matchers: {nod: x}}]}', /expected one of node, name, job/],
    ['notifications: {subscriptions: [{events: [sometimes]}]}', /events\.0: expected one of begin, end, fail/],
    ['notifications: {subscriptions: [{name: a}, {name: a}]}', /two subscriptions named a/],
    ['notifications: {allowed_cidrs: [10.0.0.0]}', /expected a network such as/],
  ])('F086 refuses %s', (content, sentence) => {
    expect(() => load(content)).toThrow(sentence);
  });
});
