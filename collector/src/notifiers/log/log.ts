import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import type { Logger } from 'pino';
import type { Notifier } from '../notifier.ts';
import { logFields } from './message.ts';

/**
 * Writes notifications to the collector's own log: trouble at WARN, good news at INFO. A line written is delivered, so that
 * a `log.level` of warn or error, which is about what the collector says of itself, keeps none back.
 */
export function createLogNotifier(log: Logger, ownHostname: string): Notifier {
  const voice = log.level === 'warn' || log.level === 'error' ? log.child({}, { level: 'info' }) : log;
  return {
    deliver: async (notification) => {
      const fields = logFields(notification, ownHostname);
      if (isTrouble(notification)) voice.warn(fields, messages[notification.type]);
      else voice.info(fields, messages[notification.type]);
      return { outcome: 'delivered' };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function isTrouble({ condition, task }: Notification): boolean {
  return condition?.active ?? (task !== undefined && failureStatuses.includes(task.status));
}

const messages: Readonly<Record<Notification['type'], string>> = {
  'task.started': 'task started',
  'task.ended': 'task ended',
  'task.amended': 'task amended',
  'condition.fired': 'condition fired',
  'condition.resolved': 'condition resolved',
  'condition.renotified': 'condition still firing',
  'node.unreachable': 'node unreachable',
  'node.recovered': 'node recovered',
  'incident.acknowledged': 'incident acknowledged',
  'incident.resolved': 'incident resolved',
  digest: 'digest',
  test: 'test notification',
};
