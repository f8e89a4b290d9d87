import { connect as connectTls } from 'node:tls';
import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { ConfigSource } from '@runnerwatch/shared/runtime/load-config.ts';
import { type AgentConfig, authoritiesOf } from '../config.ts';
import { agentUrl, connect } from '../uplink/connect.ts';
import type { FailureCause } from '../uplink/connect-failure.ts';
import type { Shown } from '../uplink/credential.ts';
import { narrowWayCure, probeWay } from '../uplink/probe-way.ts';

export interface DoorExamination {
  readonly url: string;
  readonly config: AgentConfig;
  readonly shown: Shown;
  readonly environment: ConfigSource['environment'];
  readonly clock: Clock;
}

const timeoutMs = 5_000;
const dayMs = 86_400_000;
const warnDays = 30;
/** As the collector's ClockSkew has it. */
const skewLimitMs = 30_000;

/** Whether this collector can be reached, admits the agent's token, and agrees on the time. */
export async function examineDoor(examination: DoorExamination): Promise<Finding[]> {
  const { url, config, shown, clock } = examination;
  const ca = authoritiesOf(config);
  const { signal } = new AbortController();
  const connection = await connect({ url: agentUrl(url), shown, ca, timeoutMs, clock, signal });
  const check = 'collector';
  if (connection.kind !== 'open') {
    const cause = connection.kind === 'failed' ? connection.failure.cause : 'other';
    const says = connection.kind === 'failed' ? connection.failure.message : `${url}: cancelled`;
    return [{ check, result: 'failed', says, fix: [cures[cause], proxyNote(examination)].filter(Boolean).join('; ') }];
  }
  connection.socket.close();
  const reached: Finding = { check, result: 'ok', says: `${url} admits this agent`, fix: null };
  const [clocks, way, certificate] = await Promise.all([
    examineClock(url, clock),
    examineWay(url, { ca, clock }),
    url.startsWith('https:') ? examineCertificate(new URL(url), { ca, clock }) : null,
  ]);
  return [reached, clocks, way, ...(certificate === null ? [] : [certificate])];
}

const cures: Readonly<Record<FailureCause, string>> = {
  name_unknown: 'check collector_urls and this machine’s DNS',
  name_timeout: 'check this machine’s name servers',
  name_failed: 'check this machine’s name servers',
  refused:
    'start the collector there, and let it listen on an address that this machine reaches (listen in collector.yaml)',
  unroutable: 'check network and firewall',
  timeout: 'a firewall probably drops the packets: open the port from this machine to the collector',
  reset: 'something between cuts it: look for a proxy or firewall',
  tls: 'set ca_file, or mend the certificate',
  status:
    'put a token that admits it into token_file ("runnerwatch enroll create" on the collector makes one); if a proxy answers, let it pass WebSockets on /agent/v1',
  other: 'see the reason',
};

/** The uplink goes its way without a proxy: who set one up may expect otherwise. */
function proxyNote({ environment }: DoorExamination): string | null {
  const named = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'].find(
    (name) => environment[name],
  );
  return named === undefined ? null : `${named} is set here, but the agent connects directly`;
}

async function examineClock(url: string, clock: Clock): Promise<Finding> {
  const check = 'clock';
  const answer = await fetch(new URL('healthz', `${url.replace(/\/+$/, '')}/`), {
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => null);
  const theirs = Date.parse(answer?.headers.get('date') ?? '');
  if (Number.isNaN(theirs)) return { check, result: 'skipped', says: 'the collector did not say its time', fix: null };
  const apartMs = Math.abs(clock.wallMs() - theirs);
  if (apartMs <= skewLimitMs) return { check, result: 'ok', says: 'agrees with the collector', fix: null };
  const says = `${Math.round(apartMs / 1000)} s apart from the collector`;
  return { check, result: 'warning', says, fix: 'timedatectl set-ntp true, on the one that is wrong' };
}

async function examineWay(url: string, { ca, clock }: { ca: string | undefined; clock: Clock }): Promise<Finding> {
  const check = 'large packets';
  const { signal } = new AbortController();
  const width = await probeWay({ url: agentUrl(url), ca, timeoutMs, clock, signal });
  switch (width) {
    case 'wide':
      return { check, result: 'ok', says: 'reach the collector', fix: null };
    case 'narrow':
      return {
        check,
        result: 'warning',
        says: 'are lost on the way to the collector, small ones arrive',
        fix: narrowWayCure,
      };
    case 'unknown':
      return { check, result: 'skipped', says: 'the collector did not answer a plain request', fix: null };
  }
}

function examineCertificate(url: URL, { ca, clock }: { ca: string | undefined; clock: Clock }): Promise<Finding> {
  const check = 'certificate';
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connectTls({ host, port: Number(url.port || 443), servername: host, ...(ca && { ca }) }, () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to);
      socket.destroy();
      const days = Math.floor((until - clock.wallMs()) / dayMs);
      const says = `of ${url.host} is good for ${days} more days`;
      if (days > warnDays) resolve({ check, result: 'ok', says, fix: null });
      else resolve({ check, result: 'warning', says, fix: 'renew it before it ends' });
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.once('error', (error) => resolve({ check, result: 'skipped', says: error.message, fix: null }));
  });
}
