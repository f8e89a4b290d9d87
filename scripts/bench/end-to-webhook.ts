/*
 * From a task's last act to a webhook's arrival: the agent and collector, against systemd's own `OnFailure=` with curl.
 *
 * Every task writes the time of its end as the last thing it does, and the sink writes the time of each arrival, by the same
 * clock. The two kinds of unit differ in nothing but who tells of their end, and take turns, one alone on the machine at a time.
 * The node is systemd in namespaces of this kernel (docs/real-node.md), so that both run at native speed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.ts';
import { HttpSink, type SunkRequest } from '../../test/support/http-sink.ts';
import { Installation } from '../../test/support/product.ts';
import type { NamespaceMachine } from '../../test/support/real-node/namespace-machine.ts';
import { printLatencies, target } from './figures.ts';
import { addFailureUnit, bootNode, online, readStamps, stamps } from './namespace-node.ts';
import { percentile } from './process-cost.ts';

const rounds = Number(process.env['RUNNERWATCH_BENCH_ROUNDS'] ?? 200);
const warmUps = 5;

/** `curl`: told by OnFailure=. The others are told by us. */
type Kind = 'service' | 'scope' | 'curl';

export async function benchEndToWebhook(): Promise<void> {
  await benchUnits();
  await benchRun();
}

async function benchUnits(): Promise<void> {
  await using sink = await HttpSink.open();
  await using installation = new Installation();
  await installation.collector(tellingOf(sink));
  await using machine = await bootNode(installation, ['bench-service-*', 'bench-scope-*']);
  // The competitor at its best: no shell, no retry, nothing but curl.
  await addFailureUnit(machine, 'notify', `/usr/bin/curl -s -X POST -d %i http://127.0.0.1:${sink.port}/curl`);
  const kinds = ['service', 'curl', 'scope'] as const;
  for (let index = -warmUps; index < rounds; index += 1) {
    for (const kind of kinds) await oneEnd(machine, sink, { kind, unit: `bench-${kind}-${index + warmUps}` });
  }
  const endedAt = await readStamps(machine);
  const [service, curl, scope] = kinds.map((kind) => latencies(sink, kind, endedAt));
  if (service === undefined || curl === undefined || scope === undefined) return;
  printLatencies('end → webhook', [
    ['service, runnerwatch', service],
    ['service, OnFailure= and curl', curl],
    ['scope, runnerwatch', scope],
  ]);
  const ratio = percentile(service, 0.5) / percentile(curl, 0.5);
  process.stdout.write(
    `  median ratio to OnFailure= and curl: service ${ratio.toFixed(2)} ${target(ratio <= 0.5, '≤ 0.5')}\n` +
      `  p99: service ${percentile(service, 0.99).toFixed(0)} ms ${target(percentile(service, 0.99) < 50, '< 50')}\n` +
      `  scopes came out as: ${scopeStatuses(sink)}\n`,
  );
}

/** The same without systemd: commands under `runnerwatch run`, on this machine itself. */
async function benchRun(): Promise<void> {
  await using sink = await HttpSink.open();
  await using installation = new Installation();
  await installation.collector(tellingOf(sink));
  installation.agent({ log: { level: 'error' }, tasks: { containers: { sockets: [] } } });
  await online(installation);
  const values: number[] = [];
  const file = join(installation.dataDir, 'ended-at');
  for (let index = -warmUps; index < rounds / 4; index += 1) {
    const before = sink.requests.length;
    const command = `sleep 0.2; date +%s%N >${file}; exit 3`;
    await installation.cli(['run', '--name', `bench-run-${index}`, '--', 'sh', '-c', command]);
    const request = await arrival(sink, before);
    if (index >= 0) values.push(request.at - Number(readFileSync(file, 'utf8')) / 1e6);
  }
  printLatencies('end → webhook, this machine', [['runnerwatch run', values]]);
}

function tellingOf(sink: HttpSink): object {
  return {
    log: { level: 'error' },
    notifications: {
      notifiers: { bench: { type: 'webhook', url: sink.url } },
      subscriptions: [{ receiver: 'bench', events: ['fail'] }],
    },
  };
}

async function oneEnd(
  machine: NamespaceMachine,
  sink: HttpSink,
  { kind, unit }: { kind: Kind; unit: string },
): Promise<void> {
  const before = sink.requests.length;
  // Its beginning has been dealt with by then.
  const shell = `/bin/sh -c 'sleep 0.2; date +%s%N >${stamps}/${unit}; exit 3'`;
  const commands: Readonly<Record<Kind, string>> = {
    service: `systemd-run --quiet --collect --unit=${unit}.service ${shell}`,
    curl: `systemd-run --quiet --collect --unit=${unit}.service -p OnFailure=bench-notify@${unit}.service ${shell}`,
    scope: `systemd-run --quiet --collect --scope --unit=${unit}.scope ${shell}`,
  };
  await machine.exec(commands[kind]);
  await arrival(sink, before);
  // Whatever either of them still has to do after the word is out is not charged to the next.
  await sleep(30);
}

async function arrival(sink: HttpSink, before: number): Promise<SunkRequest> {
  return eventually(() => sink.requests[before], { timeoutMs: 20_000, everyMs: 2 });
}

interface ToldTask {
  readonly task?: { readonly unit?: string | null; readonly status?: string };
}

function unitOf(request: SunkRequest): string {
  if (request.path === '/curl') return request.body;
  return (JSON.parse(request.body) as ToldTask).task?.unit?.replace(/\.\w+$/, '') ?? '';
}

function latencies(sink: HttpSink, kind: Kind, endedAt: ReadonlyMap<string, number>): number[] {
  const values: number[] = [];
  for (const request of sink.requests) {
    const unit = unitOf(request);
    const at = endedAt.get(unit);
    const number = Number(/-(\d+)$/.exec(unit)?.[1]);
    if (at !== undefined && unit.startsWith(`bench-${kind}-`) && number >= warmUps) values.push(request.at - at);
  }
  return values;
}

function scopeStatuses(sink: HttpSink): string {
  const counts = new Map<string, number>();
  for (const request of sink.requests) {
    if (!unitOf(request).startsWith('bench-scope-')) continue;
    const status = (JSON.parse(request.body) as ToldTask).task?.status ?? 'none';
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return [...counts].map(([status, count]) => `${status} ${count}`).join(', ');
}
