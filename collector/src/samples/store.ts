import type { DiskUse, NodeSample } from '@runnerwatch/shared/model/sample.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';

export interface SampleStoreOptions {
  readonly database: Pick<Database, 'sql'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** One reading per node is kept for each such time; the others are only live. */
  readonly keepEveryMs?: number;
  readonly saveEveryMs?: number;
  /** What is held at most while the database is away. */
  readonly unsavedRowsMax?: number;
}

interface Row {
  readonly nodeId: string;
  /** When it was received: the node's clock may be wrong. */
  readonly at: string;
  readonly sample: NodeSample;
}

/** One point of a node's past. Null: not read then. */
export interface SamplePoint {
  readonly at: string;
  readonly cpu_percent: number | null;
  readonly load1: number | null;
  readonly memory_used_percent: number | null;
  readonly memory_available_bytes: number | null;
  readonly disk_used_percent_max: number | null;
  readonly network_rx_bytes_per_s: number | null;
  readonly network_tx_bytes_per_s: number | null;
  readonly psi_memory_some: number | null;
  readonly psi_cpu_some: number | null;
  readonly psi_io_some: number | null;
}

export interface SampleRange {
  readonly from: Date;
  readonly to: Date;
  /** Readings of one step become one point: their means (of disks: the highest). */
  readonly stepMs: number;
}

/** The newest reading of each node in memory, and a thinned past in the database. */
export class SampleStore implements AsyncDisposable {
  readonly #options: Required<SampleStoreOptions>;
  readonly #newest = new Map<string, NodeSample>();
  readonly #keptAtMs = new Map<string, number>();
  #unsaved: Row[] = [];
  #dropped = 0;
  #isSaveFailing = false;
  #loop: AsyncDisposable | undefined;

  constructor(options: SampleStoreOptions) {
    this.#options = { keepEveryMs: 10_000, saveEveryMs: 5000, unsavedRowsMax: 20_000, ...options };
  }

  start(): void {
    const { clock, saveEveryMs } = this.#options;
    this.#loop = repeat(() => this.save(), { clock, everyMs: saveEveryMs, isFirstLater: true });
  }

  record(nodeId: string, sample: NodeSample): void {
    const { clock, keepEveryMs, unsavedRowsMax } = this.#options;
    this.#newest.set(nodeId, sample);
    const nowMs = clock.monotonicMs();
    const keptAtMs = this.#keptAtMs.get(nodeId);
    if (keptAtMs !== undefined && nowMs - keptAtMs < keepEveryMs) return;
    this.#keptAtMs.set(nodeId, nowMs);
    this.#unsaved.push({ nodeId, at: new Date(clock.wallMs()).toISOString(), sample });
    if (this.#unsaved.length <= unsavedRowsMax) return;
    this.#unsaved.shift();
    this.#dropped += 1;
  }

  newest(nodeId: string): NodeSample | null {
    return this.#newest.get(nodeId) ?? null;
  }

  /** Its agent is gone, so nothing about it is live any more. */
  forget(nodeId: string): void {
    this.#newest.delete(nodeId);
    this.#keptAtMs.delete(nodeId);
  }

  async query(nodeId: string, { from, to, stepMs }: SampleRange): Promise<SamplePoint[]> {
    const stepS = stepMs / 1000;
    const points = await this.#options.database.sql<SamplePoint & { epoch_ms: number }>`
      select (floor(extract(epoch from at) / ${stepS}::float8) * ${stepS}::float8 * 1000)::int8 as epoch_ms,
        avg(cpu_percent)::float8 as cpu_percent, avg(load1)::float8 as load1,
        avg(memory_used_percent)::float8 as memory_used_percent,
        avg(memory_available_bytes)::int8 as memory_available_bytes,
        max(disk_used_percent_max)::float8 as disk_used_percent_max,
        avg(network_rx_bytes_per_s)::float8 as network_rx_bytes_per_s,
        avg(network_tx_bytes_per_s)::float8 as network_tx_bytes_per_s,
        avg(psi_memory_some)::float8 as psi_memory_some, avg(psi_cpu_some)::float8 as psi_cpu_some,
        avg(psi_io_some)::float8 as psi_io_some
      from samples
      where node_id = ${nodeId} and at >= ${from.toISOString()}::timestamptz and at < ${to.toISOString()}::timestamptz
      group by 1 order by 1`;
    return points.map(({ epoch_ms, ...point }) => ({ ...toHundredths(point), at: new Date(epoch_ms).toISOString() }));
  }

  /** At most `limit` rows; returns how many. */
  async deleteBefore(before: Date, limit: number): Promise<number> {
    const [row] = await this.#options.database.sql<{ count: number }>`
      with gone as (
        delete from samples where ctid = any(array(
          select ctid from samples where at < ${before.toISOString()}::timestamptz limit ${limit}::int)) returning 1)
      select count(*)::int as count from gone`;
    return row?.count ?? 0;
  }

  /** Writes what is kept; never rejects: what could not be written is tried again. */
  async save(): Promise<void> {
    const { log } = this.#options;
    const rows = this.#unsaved;
    if (rows.length === 0) return;
    this.#unsaved = [];
    try {
      await this.#insert(rows);
      if (this.#isSaveFailing) log.info({ dropped: this.#dropped }, 'samples are written down again');
      this.#isSaveFailing = false;
      this.#dropped = 0;
    } catch (error) {
      this.#unsaved = [...rows, ...this.#unsaved].slice(-this.#options.unsavedRowsMax);
      if (!this.#isSaveFailing)
        log.warn({ err: error }, 'samples cannot be written down; the newest are kept and written later');
      this.#isSaveFailing = true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
    await this.save();
  }

  async #insert(rows: readonly Row[]): Promise<void> {
    const column = <T>(pick: (row: Row) => T) => rows.map(pick);
    await this.#options.database.sql`
      insert into samples (node_id, at, cpu_percent, load1, memory_used_percent, memory_available_bytes, disk_used_percent_max,
        network_rx_bytes_per_s, network_tx_bytes_per_s, psi_memory_some, psi_cpu_some, psi_io_some, detail)
      select told.* from unnest(
        ${column(({ nodeId }) => nodeId)}::text[], ${column(({ at }) => at)}::timestamptz[],
        ${column(({ sample }) => real(sample.cpu_percent))}::float4[], ${column(({ sample }) => real(sample.load1))}::float4[],
        ${column(({ sample }) => memoryUsedPercent(sample))}::float4[],
        ${column(({ sample }) => count(sample.memory_available_bytes))}::int8[],
        ${column(({ sample }) => fullestDisk(sample.disks))}::float4[],
        ${column(({ sample }) => real(sample.network_rx_bytes_per_s))}::float4[],
        ${column(({ sample }) => real(sample.network_tx_bytes_per_s))}::float4[],
        ${column(({ sample }) => real(sample.psi_memory?.some_avg10))}::float4[],
        ${column(({ sample }) => real(sample.psi_cpu?.some_avg10))}::float4[],
        ${column(({ sample }) => real(sample.psi_io?.some_avg10))}::float4[],
        ${column(({ sample }) => detail(sample))}::jsonb[]
      ) as told(node_id) join nodes on nodes.id = told.node_id
      on conflict do nothing`;
  }
}

/** A 4-byte float read as an 8-byte one shows digits that nobody measured. */
function toHundredths(point: Omit<SamplePoint, 'at'>): Omit<SamplePoint, 'at'> {
  const rounded = (value: number | null) => (value === null ? null : Math.round(value * 100) / 100);
  return {
    cpu_percent: rounded(point.cpu_percent),
    load1: rounded(point.load1),
    memory_used_percent: rounded(point.memory_used_percent),
    memory_available_bytes: point.memory_available_bytes,
    disk_used_percent_max: rounded(point.disk_used_percent_max),
    network_rx_bytes_per_s: rounded(point.network_rx_bytes_per_s),
    network_tx_bytes_per_s: rounded(point.network_tx_bytes_per_s),
    psi_memory_some: rounded(point.psi_memory_some),
    psi_cpu_some: rounded(point.psi_cpu_some),
    psi_io_some: rounded(point.psi_io_some),
  };
}

/** As a 4-byte float holds it; what lies beyond is no reading. */
function real(value: number | null | undefined): number | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  return Math.abs(value) < 3e38 ? Math.fround(Math.abs(value) < 1e-30 ? 0 : value) : null;
}

function count(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(Math.round(value)) ? Math.round(value) : null;
}

function memoryUsedPercent({
  memory_total_bytes: total,
  memory_available_bytes: available,
}: NodeSample): number | null {
  if (total === null || available === null || total <= 0) return null;
  return real((100 * (total - available)) / total);
}

function fullestDisk(disks: readonly DiskUse[] | null): number | null {
  if (disks === null || disks.length === 0) return null;
  return real(Math.max(...disks.map(({ used_percent }) => used_percent)));
}

function detail({ disks }: NodeSample): string {
  return JSON.stringify({ disks }).replaceAll(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, '\\ufffd');
}
