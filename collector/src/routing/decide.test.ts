import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide as decideAt, decideResolved, type Question, worthRecording } from './decide.ts';
import { defaultEvents, eventsOfEnd, type Policy, type Subscription, subscribableEvents } from './subscription.ts';
import { createWindow } from './window.ts';

const subscription = (more: Partial<Subscription> = {}): Subscription => ({
  name: 'ops',
  matchers: [],
  events: defaultEvents,
  receiver: 'hook',
  renotifyIntervalMs: 0,
  ...more,
});
const policy = (...subscriptions: Subscription[]): Policy => ({
  enabled: true,
  subscriptions,
  receivers: new Set(['hook', 'log']),
  silences: [],
});
const now = Date.parse('2026-11-22T12:00:00.000Z');
const decide = (question: Omit<Question, 'now'>) => decideAt({ now, ...question });
const failed = { events: eventsOfEnd('failed'), attributes: { node: 'n1', job: 'train', status: 'failed' } };

describe('decide', () => {
  it('says for every subscription whether it hears, and what differs when not', () => {
    const decisions = decide({
      policy: policy(
        subscription(),
        subscription({ name: 'other-node', receiver: 'log', matchers: [{ key: 'node', patterns: ['n2'] }] }),
        subscription({ name: 'wins', receiver: 'log', events: ['success'] }),
        subscription({ name: 'again', events: ['all'] }),
        subscription({ name: 'gone', receiver: 'pager' }),
      ),
      facts: [failed],
    });

    expect(decisions.map(({ subscription: name, reason, notified }) => [name, reason, notified])).toEqual([
      ['ops', 'matched', true],
      ['other-node', 'node_differs', false],
      ['wins', 'event_not_subscribed', false],
      ['again', 'receiver_already_told', false],
      ['gone', 'receiver_gone', false],
    ]);
  });

  it('keeps everyone from a suppressed transition, and says why to those who would have heard', () => {
    expect(decide({ policy: policy(subscription()), facts: [failed], suppression: 'draining' })[0]?.reason).toBe(
      'draining',
    );
    expect(decide({ policy: { ...policy(subscription()), enabled: false }, facts: [failed] })[0]?.reason).toBe(
      'notifications_disabled',
    );
  });

  it('tells an amendment to who hears what was told or what is true', () => {
    const lost = { events: eventsOfEnd('lost'), attributes: {} };
    const completed = { events: eventsOfEnd('completed'), attributes: {} };

    expect(decide({ policy: policy(subscription()), facts: [completed] })[0]?.notified).toBe(false);
    expect(decide({ policy: policy(subscription()), facts: [lost, completed] })[0]?.notified).toBe(true);
  });

  it('tells a beginning only to who names it', () => {
    const begun = { events: ['begin'], attributes: {} } as const;

    expect(decide({ policy: policy(subscription({ events: ['all'] })), facts: [begun] })[0]?.notified).toBe(false);
    expect(decide({ policy: policy(subscription({ events: ['begin'] })), facts: [begun] })[0]?.notified).toBe(true);
  });

  it('lists a condition that is mere information, and tells it to who names conditions or severities, or hears all', () => {
    const note = { events: ['condition'], attributes: { condition: 'TaskTooShort', severity: 'info' } } as const;
    const hears = (given: Partial<Subscription>) =>
      decide({ policy: policy(subscription({ events: ['condition'], ...given })), facts: [note] })[0]?.reason;

    expect(hears({})).toBe('information');
    expect(hears({ events: ['all'] })).toBe('matched');
    expect(hears({ matchers: [{ key: 'condition', patterns: ['TaskTooShort'] }] })).toBe('matched');
    expect(hears({ matchers: [{ key: 'severity', patterns: ['*'] }] })).toBe('matched');
    expect(hears({ matchers: [{ key: 'condition', patterns: ['HighLoad'] }] })).toBe('condition_differs');
  });

  it('tells 80 percent of a time limit to who asks for that, however quiet it is', () => {
    const early = {
      events: ['condition', 'time_limit_80'],
      attributes: { condition: 'TaskOverrun', severity: 'info' },
    } as const;

    const decisions = decide({
      policy: policy(
        subscription({ name: 'a', events: ['time_limit_80'] }),
        subscription({ name: 'b', receiver: 'log' }),
      ),
      facts: [early],
    });

    expect(decisions.map(({ reason }) => reason)).toEqual(['matched', 'information']);
  });

  it('tells a receiver at most once and always answers for each subscription', () => {
    const statuses: TaskStatus[] = ['completed', 'failed', 'killed', 'killed_oom', 'timed_out', 'lost', 'unknown'];
    const anySubscription = fc.record({
      events: fc.uniqueArray(fc.constantFrom(...subscribableEvents), { minLength: 1 }),
      receiver: fc.constantFrom('hook', 'log', 'pager'),
      node: fc.option(fc.constantFrom('n1', 'n*', 'm?')),
    });
    fc.assert(
      fc.property(fc.array(anySubscription, { maxLength: 6 }), fc.constantFrom(...statuses), (shapes, status) => {
        const subscriptions = shapes.map(({ events, receiver, node }, index) =>
          subscription({
            name: `s${index}`,
            events,
            receiver,
            matchers: node === null ? [] : [{ key: 'node', patterns: [node] }],
          }),
        );

        const decisions = decide({
          policy: policy(...subscriptions),
          facts: [{ events: eventsOfEnd(status), attributes: { node: 'n1' } }],
        });

        const words: readonly string[] = [...eventsOfEnd(status), 'all'];
        const shouldHear = new Set(
          subscriptions
            .filter((one) => one.events.some((event) => words.includes(event)) && one.receiver !== 'pager')
            .filter((one) => one.matchers.every(({ patterns }) => patterns[0] !== 'm?'))
            .map((one) => one.receiver),
        );
        const heard = decisions.filter(({ notified }) => notified).map(({ receiver }) => receiver);
        expect(decisions).toHaveLength(subscriptions.length);
        expect(heard.toSorted()).toEqual([...shouldHear].toSorted());
      }),
    );
  });
});

describe('decide resolved', () => {
  it('F102 tells exactly those who were told, even when their subscription is gone', () => {
    const decisions = decideResolved(policy(subscription({ name: 'new' })), [
      { subscription: 'old', receiver: 'hook' },
      { subscription: 'old', receiver: 'pager' },
    ]);

    expect(decisions.map(({ subscription: name, receiver, reason }) => [name, receiver, reason])).toEqual([
      ['old', 'hook', 'matched'],
      ['old', 'pager', 'receiver_gone'],
      ['new', 'hook', 'never_told'],
    ]);
  });
});

describe('an alert of a job', () => {
  const alert = (name: string) => subscription({ name, receiver: `webhook:${name}`, job: { project: null, name } });

  it('is of that job alone, and of no other that its name could be a pattern for', () => {
    const receivers = new Set(['webhook:train', 'webhook:t*']);
    const asked = { ...policy(alert('train'), alert('t*')), receivers };

    expect(decide({ policy: asked, facts: [failed] }).map(({ reason }) => reason)).toEqual(['matched', 'job_differs']);
  });

  it('of another job is not written down with every event', () => {
    const asked = policy(subscription(), alert('train'), alert('other'));
    const decisions = decide({ policy: asked, facts: [failed] });

    expect(worthRecording(asked, decisions, { job: 'train', project: null }).map((one) => one.subscription)).toEqual([
      'ops',
      'train',
    ]);
    expect(worthRecording(asked, decideResolved(asked, []), null).map((one) => one.subscription)).toEqual(['ops']);
  });
});

describe('what keeps a matching transition from a subscription', () => {
  const reasons = (more: Partial<Subscription>, question: Partial<Question> = {}) =>
    decide({ policy: policy(subscription(more)), facts: [failed], ...question }).map(({ reason }) => reason);

  it('is its end', () => {
    expect(reasons({ expiresAt: now + 1 })).toEqual(['matched']);
    expect(reasons({ expiresAt: now })).toEqual(['expired']);
  });

  it('is its limit for one job', () => {
    expect(reasons({ maxAlertsPerJob: 2 }, { sent: new Map([['ops', 1]]) })).toEqual(['matched']);
    expect(reasons({ maxAlertsPerJob: 2 }, { sent: new Map([['ops', 2]]) })).toEqual(['max_alerts_reached']);
  });

  it('are its quiet hours, and leaves the receiver to another subscription', () => {
    const quietHours = createWindow({ time_zone: 'Europe/Berlin', from: '13:00', to: '14:00' });
    const decisions = decide({
      policy: policy(subscription({ quietHours }), subscription({ name: 'awake' })),
      facts: [failed],
    });

    expect(decisions).toMatchObject([
      { reason: 'quiet_hours', detail: '13:00–14:00 Europe/Berlin, until 2026-11-22T13:00:00.000Z' },
      { reason: 'matched', notified: true },
    ]);
  });

  it('F101 is of overlapping silences the one that lasts longest, by its name', () => {
    const silence = { author: 'ada', reason: 'disks', matchers: [], startsAt: now - 1, window: null };
    const silences = [
      { ...silence, id: 'short', endsAt: now + 1000 },
      { ...silence, id: 'long', endsAt: now + 2000 },
      { ...silence, id: 'over', endsAt: now },
      { ...silence, id: 'later', startsAt: now + 1, endsAt: now + 5000 },
      { ...silence, id: 'other', matchers: [{ key: 'job', patterns: ['x'] }], endsAt: null } as const,
    ];

    expect(decide({ policy: { ...policy(subscription()), silences }, facts: [failed] })).toEqual([
      {
        subscription: 'ops',
        receiver: 'hook',
        notified: false,
        reason: 'silenced',
        silence: 'long',
        detail: 'by ada until 2026-11-22T12:00:02.000Z: disks',
      },
    ]);
  });

  it('leaves no receiver told twice, and nobody told against an order, whatever the subscriptions', () => {
    const one = fc.record({
      receiver: fc.constantFrom('hook', 'log', 'gone'),
      maxAlertsPerJob: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      expiresAt: fc.option(fc.integer({ min: now - 10, max: now + 10 }), { nil: undefined }),
      isQuiet: fc.boolean(),
    });
    const always = createWindow({ time_zone: 'UTC', from: '00:00', to: '00:00' });
    const silence = { id: 's', author: 'a', reason: 'r', matchers: [], startsAt: 0, endsAt: null, window: null };
    fc.assert(
      fc.property(fc.array(one), fc.integer({ min: 0, max: 3 }), fc.boolean(), (given, count, isSilenced) => {
        const subscriptions = given.map(({ isQuiet, ...more }, index) =>
          subscription({ name: `s${index}`, ...more, ...(isQuiet ? { quietHours: always } : {}) }),
        );
        const decisions = decide({
          policy: { ...policy(...subscriptions), silences: isSilenced ? [silence] : [] },
          facts: [failed],
          sent: new Map(subscriptions.map(({ name }) => [name, count])),
        });
        const told = decisions.filter(({ notified }) => notified);

        expect(decisions.map(({ subscription: name }) => name)).toEqual(subscriptions.map(({ name }) => name));
        expect(new Set(told.map(({ receiver }) => receiver)).size).toBe(told.length);
        if (isSilenced) expect(told).toEqual([]);
        for (const { subscription: name } of told) {
          const its = subscriptions.find((each) => each.name === name);
          expect(its?.quietHours).toBeUndefined();
          expect(its?.expiresAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
          expect(its?.maxAlertsPerJob ?? Number.POSITIVE_INFINITY).toBeGreaterThan(count);
        }
      }),
    );
  });

  it('tells a receiver once that something is over, though two subscriptions told it of the beginning', () => {
    const told = ['a', 'b'].map((name) => ({ subscription: name, receiver: 'hook' }));

    expect(decideResolved(policy(), told).map(({ subscription: name, reason }) => [name, reason])).toEqual([
      ['a', 'matched'],
      ['b', 'receiver_already_told'],
    ]);
  });

  it('is nothing for what does not match anyway', () => {
    expect(reasons({ expiresAt: 0, matchers: [{ key: 'job', patterns: ['other'] }] })).toEqual(['job_differs']);
  });
});
