import { isIP } from 'node:net';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { smtpSettings } from '../notifiers/email/settings.ts';
import { type NotifierSettings, notifierSettings } from '../notifiers/settings.ts';
import { isMatcherKey, matcherExpected, matchersOf } from './matcher.ts';
import {
  defaultEvents,
  type Policy,
  type Subscription,
  stepsMax,
  stepsOf,
  subscribableEvents,
} from './subscription.ts';
import { createWindow } from './window.ts';
import { windowRule } from './window-rule.ts';

/** Always there, needs no configuration. */
export const logReceiver = 'log';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const nameExpected = 'expected a name of letters, digits, dots, dashes and underscores';
const receiverName = field.text.check(z.regex(namePattern, { error: nameExpected }));

const patterns = z.union([z.string(), z.array(z.string()).check(z.minLength(1))], {
  error: 'expected a pattern, or a list of patterns',
});

const matchers = field.mapOf(patterns, (key) => (isMatcherKey(key) ? null : matcherExpected));

const escalationStep = z.strictObject({
  after: field.duration.check(z.refine((ms) => ms > 0, { error: 'expected a duration above 0' })),
  receiver: receiverName,
});

const subscription = z.strictObject({
  name: z.optional(receiverName),
  matchers: z._default(matchers, {}),
  events: z._default(
    field.listOf(z.enum(subscribableEvents, { error: `expected one of ${subscribableEvents.join(', ')}` })),
    [...defaultEvents],
  ),
  receiver: z.optional(receiverName),
  renotify_interval: z.optional(field.duration),
  /** So often it tells of one job, until a run of that ends well. */
  max_alerts_per_job: z.optional(field.count.check(z.refine((value) => value > 0, { error: 'expected 1 or more' }))),
  /** Failures of one kind that follow within are told together; 0: each for itself. */
  group_window: z.optional(field.duration),
  /** Instead: failures of whatever kind are told together, so long after the first of them. */
  digest: z.optional(field.duration),
  /** What matches within these hours is told afterwards, if it is still true. */
  quiet_hours: z.optional(windowRule),
  /** Who else is told of what nobody has acknowledged so long after it was first told. */
  escalate: z.optional(
    z
      .array(escalationStep, { error: 'expected a list of steps such as {after: 15m, receiver: oncall}' })
      .check(z.maxLength(stepsMax)),
  ),
});

const cidr = field.text.check(
  z.refine((value) => isCidr(value), { error: 'expected a network such as 10.0.0.0/8 or fd00::/8' }),
);

/** The `notifications:` section of collector.yaml. */
export const notificationsConfig = z.prefault(
  z
    .strictObject({
      enabled: z._default(field.boolean, true),
      /** How often a condition that still holds is told again; 0 never. */
      renotify_interval: z._default(field.duration, 0),
      /** The same of every subscription that names none and does not count its alerts. */
      group_window: z._default(field.duration, 5_000),
      /** Shorthand for one notifier without settings. */
      notifier: z.optional(z.enum(['log'], { error: 'expected log; a notifier with settings goes under notifiers' })),
      notifiers: z._default(
        field.mapOf(notifierSettings, (name) => (namePattern.test(name) ? null : nameExpected)),
        {},
      ),
      subscriptions: z._default(z.array(subscription, { error: 'expected a list of subscriptions' }), []),
      /** The mail server of every email notifier that names none of its own. */
      smtp: z.optional(smtpSettings),
      /** Networks that targets typed by people may lie in. Targets in this file are trusted as they stand. */
      allowed_cidrs: z._default(field.listOf(cidr), []),
    })
    .check((context) => {
      const { notifiers, subscriptions, smtp } = context.value;
      for (const [name, one] of Object.entries(notifiers)) {
        if (one.type !== 'email' || (one.smtp ?? smtp) !== undefined) continue;
        const message = 'expected a mail server here, or one for all under notifications.smtp';
        context.issues.push({ code: 'custom', path: ['notifiers', name, 'smtp'], input: undefined, message });
      }
      const names = new Set<string>();
      subscriptions.forEach(({ name, receiver, escalate = [] }, index) => {
        const refuse = (key: string, message: string) =>
          context.issues.push({ code: 'custom', path: ['subscriptions', index, key], input: receiver, message });
        const isThere = (one: string) => one === logReceiver || Object.hasOwn(notifiers, one);
        for (const { receiver: other } of escalate)
          if (!isThere(other)) refuse('escalate', `there is no notifier named ${other} under notifications.notifiers`);
        const called = name ?? unnamed(index);
        if (names.has(called)) refuse('name', `there are two subscriptions named ${called}`);
        names.add(called);
        if (receiver === undefined && Object.keys(notifiers).length > 1)
          refuse('receiver', 'expected the name of one of the notifiers');
        if (receiver === undefined || isThere(receiver)) return;
        refuse('receiver', `there is no notifier named ${receiver} under notifications.notifiers`);
      });
    }),
  {},
);
export type NotificationsConfig = z.output<typeof notificationsConfig>;

/** Every notifier by name, `log` always among them. */
export function notifiersOf(config: NotificationsConfig): Record<string, NotifierSettings> {
  const { notifiers, smtp } = config;
  const named = Object.entries(notifiers).map(([name, one]): [string, NotifierSettings] => [
    name,
    one.type === 'email' && smtp !== undefined ? { ...one, smtp: one.smtp ?? smtp } : one,
  ]);
  return { [logReceiver]: { type: 'log' }, ...Object.fromEntries(named) };
}

/**
 * Who hears what. Without subscriptions every configured notifier hears failures, timeouts, conditions and unreachable nodes;
 * without notifiers the log does.
 */
export function policyOf(config: NotificationsConfig): Policy {
  const named = Object.keys(config.notifiers);
  const configured = config.notifier === undefined ? named : [...new Set([config.notifier, ...named])];
  const receivers = configured.length === 0 ? [logReceiver] : configured;
  const subscriptions =
    config.subscriptions.length === 0
      ? receivers.map(
          (receiver): Subscription => ({
            name: `default-${receiver}`,
            matchers: [],
            events: defaultEvents,
            receiver,
            renotifyIntervalMs: config.renotify_interval,
            groupWindowMs: config.group_window,
          }),
        )
      : config.subscriptions.map(
          (one, index): Subscription => ({
            name: one.name ?? unnamed(index),
            matchers: matchersOf(one.matchers),
            events: one.events,
            receiver: one.receiver ?? receivers[0] ?? logReceiver,
            renotifyIntervalMs: one.renotify_interval ?? config.renotify_interval,
            groupWindowMs: one.group_window ?? (one.max_alerts_per_job === undefined ? config.group_window : 0),
            ...(one.digest === undefined ? {} : { digestMs: one.digest }),
            ...(one.max_alerts_per_job === undefined ? {} : { maxAlertsPerJob: one.max_alerts_per_job }),
            ...(one.quiet_hours === undefined ? {} : { quietHours: createWindow(one.quiet_hours) }),
            escalate: stepsOf((one.escalate ?? []).map(({ after, receiver }) => ({ afterMs: after, receiver }))),
          }),
        );
  return {
    enabled: config.enabled,
    subscriptions,
    receivers: new Set(Object.keys(notifiersOf(config))),
    silences: [],
    groupWindowMs: config.group_window,
    renotifyIntervalMs: config.renotify_interval,
  };
}

function unnamed(index: number): string {
  return `subscription-${index + 1}`;
}

function isCidr(value: string): boolean {
  const [address = '', bits = '', ...rest] = value.split('/');
  const version = isIP(address);
  return rest.length === 0 && version !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}
