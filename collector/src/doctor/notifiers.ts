import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { pino } from 'pino';
import { createNotifiers } from '../notifiers/catalogue.ts';
import type { SmtpSettings } from '../notifiers/email/settings.ts';
import { verifyMailServer } from '../notifiers/email/verify.ts';
import type { Notifier } from '../notifiers/notifier.ts';
import type { NotifierSettings } from '../notifiers/settings.ts';
import { type NotificationsConfig, notifiersOf } from '../routing/config.ts';
import { madeUp } from './made-up.ts';
import { resolveHost } from './resolve.ts';

const mailTimeoutMs = 15_000;

/** What each notifier of the configuration would meet, and each mail server. Sends nothing. */
export async function examineNotifiers(config: NotificationsConfig, hostname: string): Promise<Finding[]> {
  const { log: _log, ...notifiers } = notifiersOf(config);
  const servers = Object.values(notifiers).map((one) => (one.type === 'email' ? one.smtp : undefined));
  const distinct = new Map([config.smtp, ...servers].map((smtp) => [JSON.stringify(smtp), smtp]));
  const found = await Promise.all([
    ...[...distinct.values()].map((smtp) => (smtp === undefined ? [] : examineMailServer(smtp, hostname))),
    ...Object.entries(notifiers).map(([name, one]) => examineNotifier(name, one, hostname)),
  ]);
  return found.flat();
}

async function examineMailServer(smtp: SmtpSettings, hostname: string): Promise<Finding[]> {
  const check = 'mail server';
  const place = smtp.port === undefined ? smtp.host : `${smtp.host}:${smtp.port}`;
  const failed = (problem: string): Finding[] => [
    {
      check,
      result: 'failed',
      says: `${place}: ${problem}`,
      fix: 'mend smtp in collector.yaml (host, port, tls, username, password, ca_file), or the server',
    },
  ];
  try {
    const problem = await verifyMailServer(smtp, { hostname, timeoutMs: mailTimeoutMs });
    if (problem !== null) return failed(problem);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    return failed(error.message);
  }
  const as = smtp.username === undefined ? 'answers; nobody logs in there' : `takes the log-in of ${smtp.username}`;
  return [{ check, result: 'ok', says: `${place} ${as}`, fix: null }];
}

async function examineNotifier(name: string, settings: NotifierSettings, hostname: string): Promise<Finding[]> {
  const check = `notifier ${name}`;
  const hasTemplate = 'template' in settings && settings.template !== undefined;
  try {
    const notifier = setUp(name, settings, hostname);
    const urls = urlsOf(settings).map((url) => new URL(url));
    const problems = await Promise.all([
      examineNames(urls, check),
      hasTemplate ? examineTemplate(notifier, check) : [],
    ]);
    await notifier?.[Symbol.asyncDispose]();
    if (problems.flat().length > 0) return problems.flat();
    const hosts = [...new Set(urls.map(({ host }) => host))].join(', ');
    const said = [hosts === '' ? settings.type : `${hosts} resolves`, ...(hasTemplate ? ['its template renders'] : [])];
    return [{ check, result: 'ok', says: said.join('; '), fix: null }];
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    const fix = 'mend it in collector.yaml, or in the file that the key names';
    return [{ check, result: 'failed', says: error.message, fix }];
  }
}

/** As the collector does, but for the log. @throws StartFailure */
function setUp(name: string, settings: NotifierSettings, hostname: string): Notifier | undefined {
  const system = { env: {}, kill: () => undefined };
  const deps = { log: pino({ level: 'silent' }), clock: systemClock, hostname, system };
  return createNotifiers({ [name]: settings }, deps).get(name);
}

/** Where it posts to. */
function urlsOf(settings: NotifierSettings): readonly string[] {
  if ('urls' in settings) return settings.urls;
  if ('url' in settings && settings.url !== undefined) return [settings.url];
  return 'api_url' in settings ? [settings.api_url] : [];
}

async function examineNames(urls: readonly URL[], check: string): Promise<Finding[]> {
  const problems = (await Promise.all(urls.map(resolveHost))).map((one) => ('problem' in one ? one.problem : null));
  const fix = 'mend the address in collector.yaml, or the name server of this machine';
  return [...new Set(problems)].flatMap((says) => (says === null ? [] : [{ check, result: 'failed', says, fix }]));
}

/** The first of the made-up notifications that it cannot tell in the template's words. */
async function examineTemplate(notifier: Notifier | undefined, check: string): Promise<Finding[]> {
  for (const [what, notification] of madeUp) {
    const note = (await notifier?.preview?.(notification))?.note;
    if (note === undefined) continue;
    const fix = 'ask first, as in {% if task %}{{ task.name }}{% endif %}; "runnerwatch notify preview" shows the rest';
    return [{ check, result: 'warning', says: `of ${what}: ${note}`, fix }];
  }
  return [];
}
