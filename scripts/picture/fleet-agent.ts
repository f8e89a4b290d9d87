import { randomUUID } from 'node:crypto';
import type { Event, EventBody, Lane } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { AgentClient, aHello } from '../../test/support/agent-client.ts';
import { type Machine, machines, reading, uuidOf } from './machines.ts';

/* Forty machines of a research group on an ordinary morning, told to a real collector in the words of our agents. */

/** One of those machines, at its collector. */
export class FleetAgent implements AsyncDisposable {
  readonly machine: Machine;
  readonly #client: AgentClient;
  readonly #seq: Record<Lane, number> = { ends: 0, facts: 0 };
  readonly #nth: number;

  constructor(url: string, token: string, nth: number) {
    this.machine = machines[nth] as Machine;
    this.#nth = nth;
    this.#client = new AgentClient(`${url.replace('http', 'ws')}/agent/v1`, { token });
  }

  async greet(): Promise<void> {
    const { id, name, labels, cpuCount, memoryBytes } = this.machine;
    const at = toInstant(Date.now());
    const isBlind = name === 'cpu-11';
    const source = (source: string) => ({ name: source, state: 'seeing' as const, reason: null, since: at });
    await this.#client.greet(
      aHello({
        node_id: id,
        stream_id: randomUUID(),
        at,
        node: {
          name,
          labels,
          boot_id: uuidOf(`${name} boot`),
          inventory: {
            os: 'Debian GNU/Linux 12 (bookworm)',
            kernel: '6.1.0-28-amd64',
            architecture: 'x64',
            cpu_model: name.startsWith('gpu') ? 'AMD EPYC 7713 64-Core Processor' : 'Intel Xeon Gold 6342',
            cpu_count: cpuCount,
            memory_total_bytes: memoryBytes,
            virtualization: null,
          },
          sources: [
            ...['systemd', 'process-exits', 'journal', 'kernel-log'].map(source),
            isBlind
              ? {
                  ...source('docker'),
                  state: 'blind',
                  reason: 'no right to open /run/docker.sock; add the agent to the group docker',
                }
              : source('docker'),
          ],
        },
      }),
    );
  }

  /** Tells these facts, and returns when they are stored. */
  async tell(bodies: readonly EventBody[]): Promise<void> {
    for (const lane of ['facts', 'ends'] as const) {
      const events: Event[] = bodies
        .filter(({ kind }) => (kind === 'task_ended') === (lane === 'ends'))
        .map((body) => ({ seq: (this.#seq[lane] += 1), at: toInstant(Date.now()), body }));
      if (events.length === 0) continue;
      for (let from = 0; from < events.length; from += 50)
        this.#client.send({ kind: 'batch', lane, events: events.slice(from, from + 50) });
      await this.#client.acked(lane, this.#seq[lane]);
    }
  }

  /** What it reads at a moment: busy machines wander, full ones stay full. */
  read(nowMs: number): void {
    this.#client.send({ kind: 'sample', sample: reading(this.machine, this.#nth, nowMs) });
    this.#client.send({
      kind: 'heartbeat',
      at: toInstant(nowMs),
      spool: { pending_records: 0, bytes: 48_200, evicted_records: 0, durable: true },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
