import type { Logger } from 'pino';
import { isEngineUnit } from '../engine-units.ts';
import { type Bus, type BusSignal, connectBus } from './bus.ts';
import type { EngineStates } from './engine-states.ts';
import { type Properties, readRunState, readUnitFacts, readUnitState } from './properties.ts';
import { pathOfUnit, unitOfPath } from './unit-path.ts';
import { isOver, type ListedUnit, type UnitTable } from './unit-table.ts';

export interface SessionOptions {
  readonly address: string;
  readonly matches: (unit: string) => boolean;
  /** Outlives sessions: what was live before the connection was lost. */
  readonly table: UnitTable;
  readonly engines: EngineStates;
  readonly wallMs: () => number;
  readonly log: Logger;
  /** Called before anything is asked, so that answers can be asked for while units are being listed. */
  readonly onCreated: (session: Session) => void;
}

/** One connection to the manager: subscribed and listed when {@link openSession} resolves, over when `closed` resolves. */
export interface Session {
  readonly closed: Promise<string>;
  close(reason?: string): void;
  /** For the table: asks, at most 32 questions at a time, and answers it. */
  askFacts(unit: string): void;
  askJobType(jobId: number, unit: string): void;
  /** Every unit in the state failed, whatever its name. */
  listFailed(): Promise<readonly string[]>;
}

const manager = { destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' };
const managerInterface = 'org.freedesktop.systemd1.Manager';
const unitInterface = 'org.freedesktop.systemd1.Unit';
const propertiesInterface = 'org.freedesktop.DBus.Properties';
const questionsAtOnce = 32;
/** At a listed unit that never holds still. */
const mostLooks = 5;
/** A reload that never says it is over is looked into. */
const longestReloadMs = 30_000;

const matchRules = [
  `type='signal',sender='org.freedesktop.systemd1',interface='${propertiesInterface}',member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit'`,
  `type='signal',sender='org.freedesktop.systemd1',interface='${managerInterface}',path='/org/freedesktop/systemd1'`,
  "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
];

/** Connects, subscribes, then lists: what happens in between is heard, and told once by invocation id. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const session = new ManagerSession(options);
  options.onCreated(session);
  await session.open();
  return session;
}

class ManagerSession implements Session {
  readonly #options: SessionOptions;
  readonly #table: UnitTable;
  readonly #questions: (() => Promise<void>)[] = [];
  #asking = 0;
  #isClosed = false;
  #bus: Bus | null = null;
  #reloadTimer: NodeJS.Timeout | undefined;
  #markClosed: (reason: string) => void = () => {};
  readonly closed: Promise<string>;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#table = options.table;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  async open(): Promise<void> {
    this.#table.mayMiss();
    this.#options.engines.forget(this.#options.wallMs());
    const bus = await connectBus({ address: this.#options.address, onSignal: (signal) => this.#hear(signal) });
    this.#bus = bus;
    if (this.#isClosed) bus.close();
    bus.closed.then(
      (reason) => this.#finish(reason),
      (error: unknown) => this.#finish(String(error)),
    );
    try {
      for (const rule of matchRules) {
        await bus.call({ ...busPeer, member: 'AddMatch', signature: 's', body: [rule] });
      }
      await this.#subscribe();
      this.#table.listening(this.#options.wallMs());
      await this.#lookForShutdown();
      await this.#resync();
    } catch (error) {
      bus.close();
      throw error;
    }
  }

  close(reason = 'closed by us'): void {
    this.#finish(reason);
    this.#bus?.close();
  }

  askFacts(unit: string): void {
    this.#ask(async () => {
      if (!this.#table.isLive(unit)) return;
      try {
        const { unit: unitProperties, run } = await this.#getAll(unit);
        const state = { ...readUnitState(unitProperties), ...readRunState(run) };
        this.#table.factsKnown(unit, readUnitFacts(unitProperties, run), state);
      } catch (error) {
        // The next session asks again.
        if (this.#isClosed) return;
        this.#options.log.debug({ unit, err: error }, 'unit went before it could be asked about');
        this.#table.factsUnavailable(unit);
      }
    });
  }

  askJobType(jobId: number, unit: string): void {
    this.#ask(async () => {
      try {
        const path = `/org/freedesktop/systemd1/job/${jobId}`;
        const type = await this.#get(path, { of: 'org.freedesktop.systemd1.Job', name: 'JobType' });
        if (typeof type === 'string') this.#table.jobTypeKnown(jobId, unit, type);
      } catch (error) {
        this.#options.log.debug({ unit, jobId, err: error }, 'job was done before it could be asked about');
      }
    });
  }

  async listFailed(): Promise<readonly string[]> {
    const failed: ListedUnit[] = [];
    await this.#list(['failed'], (rows) => failed.push(...rows));
    return failed.map(({ unit }) => unit);
  }

  #hear({ path, interface: name, member, body }: BusSignal): void {
    if (name === propertiesInterface) return this.#propertiesChanged(path, body);
    if (name === managerInterface) return this.#managerSays(member, body);
    if (member === 'NameOwnerChanged' && body[2] !== '') this.#again('the manager was executed anew');
  }

  #propertiesChanged(path: string, body: readonly unknown[]): void {
    const unit = unitOfPath(path);
    const { matches, engines, wallMs } = this.#options;
    if (unit === null || !(isEngineUnit(unit) || matches(unit))) return;
    const [of, changed] = body;
    const properties = asProperties(changed);
    if (of === unitInterface) engines.unitChanged(unit, properties, wallMs());
    if (!matches(unit)) return;
    if (of === unitInterface) this.#table.unitChanged(unit, properties, wallMs());
    else if (of === runInterface(unit)) this.#table.runChanged(unit, properties, wallMs());
  }

  #managerSays(member: string, body: readonly unknown[]): void {
    const [first, , third, fourth] = body;
    if (member === 'Reloading') return this.#reloading(first === true);
    const isJob = member === 'JobNew' || member === 'JobRemoved';
    const unit = isJob ? third : first;
    if (typeof unit !== 'string' || !(isJob ? this.#mayConcern(unit) : this.#options.matches(unit))) return;
    const now = this.#options.wallMs();
    if (member === 'JobNew') this.#table.jobNew(Number(first), unit, now);
    else if (member === 'JobRemoved') this.#table.jobRemoved(Number(first), unit, { result: String(fourth), now });
    else if (member === 'UnitNew') this.#table.unitNew(unit);
    else if (member === 'UnitRemoved') this.#table.unitRemoved(unit, now);
  }

  /** Targets tell of a shutdown. */
  #mayConcern(unit: string): boolean {
    return unit.endsWith('.target') || this.#options.matches(unit);
  }

  #reloading(isActive: boolean): void {
    this.#table.reloading(isActive);
    clearTimeout(this.#reloadTimer);
    if (!isActive) return this.#again('the manager reloaded');
    this.#reloadTimer = setTimeout(() => this.#again('a reload takes very long'), longestReloadMs);
    this.#reloadTimer.unref();
  }

  /** Subscribes and lists once more on the same connection. */
  #again(why: string): void {
    clearTimeout(this.#reloadTimer);
    this.#options.log.info({ why }, 'listing units again');
    this.#table.mayMiss();
    this.#subscribe()
      .then(() => this.#resync())
      .catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'units could not be listed again, connecting anew');
        this.close();
      });
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#call({ ...manager, interface: managerInterface, member: 'Subscribe' });
    } catch (error) {
      // Said by a manager that kept our subscription over a reload.
      if (!String(error).toLowerCase().includes('already subscribed')) throw error;
    }
  }

  /** A shutdown that began before we listened. Very old managers do not say (SystemState: since 213). */
  async #lookForShutdown(): Promise<void> {
    try {
      const state = await this.#get(manager.path, { of: managerInterface, name: 'SystemState' });
      this.#table.systemStopping(state === 'stopping', this.#options.wallMs());
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the manager does not say whether the system is going down');
    }
  }

  async #resync(): Promise<void> {
    let listed: readonly ListedUnit[] = [];
    await this.#list(['active', 'reloading', 'activating', 'deactivating', 'failed'], (rows) => {
      listed = rows.filter((row) => this.#options.matches(row.unit));
      this.#table.resync(listed, this.#options.wallMs());
    });
    await Promise.all(listed.map((row) => this.#askListed(row)));
  }

  /** `take` gets the rows at their place among the signals: who began after them is in none of them. */
  async #list(states: readonly string[], take: (rows: readonly ListedUnit[]) => void): Promise<void> {
    await this.#call({
      ...manager,
      interface: managerInterface,
      member: 'ListUnitsByPatterns',
      signature: 'asas',
      body: [states, []],
      onReply: ([rows]) => take(readListing(rows)),
    });
  }

  #askListed(row: ListedUnit): Promise<void> {
    return new Promise((resolve) => {
      this.#ask(async () => {
        try {
          await this.#lookInto(row);
        } catch (error) {
          if (this.#isClosed) return;
          this.#options.log.debug({ unit: row.unit, err: error }, 'listed unit went before it could be asked about');
          if (isOver(row)) this.#table.listedGone(row.unit, this.#options.wallMs());
          else this.#table.factsUnavailable(row.unit);
        } finally {
          resolve();
        }
      });
    });
  }

  async #lookInto(row: ListedUnit, looks = 1): Promise<void> {
    const { unit } = row;
    const heard = this.#table.heardOf(unit);
    const known = isOver(row) ? null : this.#table.knownInvocation(unit);
    if (known !== null) {
      const id: unknown = await this.#get(pathOfUnit(unit), { of: unitInterface, name: 'InvocationID' });
      if (readUnitState({ InvocationID: { value: id } }).invocationId === known) return;
    }
    const { unit: unitProperties, run } = await this.#getAll(unit);
    if (this.#table.heardOf(unit) !== heard) return this.#lookAgain(row, looks);
    const state = { ...readUnitState(unitProperties), ...readRunState(run) };
    this.#table.listedFacts(unit, readUnitFacts(unitProperties, run), { state, now: this.#options.wallMs() });
  }

  /** What was heard while it was asked is newer than the answers, or lies between them. */
  async #lookAgain(row: ListedUnit, looks: number): Promise<void> {
    const isLive = this.#table.isLive(row.unit);
    // A unit that failed stays loaded, and still holds how.
    if (!isLive && !(isOver(row) && this.#table.heardOf(row.unit) >= 0)) return;
    if (looks === mostLooks) this.#table.factsUnavailable(row.unit);
    else await this.#lookInto(isLive ? { ...row, activeState: 'active' } : row, looks + 1);
  }

  async #getAll(unit: string): Promise<{ unit: Properties; run: Properties }> {
    const path = pathOfUnit(unit);
    const ask = async (of: string) => {
      const [properties] = await this.#call({
        destination: manager.destination,
        path,
        interface: propertiesInterface,
        member: 'GetAll',
        signature: 's',
        body: [of],
      });
      return asProperties(properties);
    };
    const unitProperties = await ask(unitInterface);
    // A unit that went meanwhile is a blank one by now; each question would load it once more.
    const { invocationId } = readUnitState(unitProperties);
    return { unit: unitProperties, run: invocationId === null ? {} : await ask(runInterface(unit)) };
  }

  async #get(path: string, { of, name }: { of: string; name: string }): Promise<unknown> {
    const [variant] = await this.#call({
      destination: manager.destination,
      path,
      interface: propertiesInterface,
      member: 'Get',
      signature: 'ss',
      body: [of, name],
    });
    return typeof variant === 'object' && variant !== null && 'value' in variant ? variant.value : undefined;
  }

  #call(call: Parameters<Bus['call']>[0]): Promise<readonly unknown[]> {
    return this.#bus === null ? Promise.reject(new Error('not connected')) : this.#bus.call(call);
  }

  #ask(question: () => Promise<void>): void {
    this.#questions.push(question);
    this.#askNext();
  }

  #askNext(): void {
    while (this.#asking < questionsAtOnce) {
      const question = this.#questions.shift();
      if (question === undefined) return;
      this.#asking += 1;
      question()
        .catch((error: unknown) =>
          this.#options.log.warn({ err: error }, 'an answer of the manager was not understood'),
        )
        .finally(() => {
          this.#asking -= 1;
          this.#askNext();
        });
    }
  }

  #finish(reason: string): void {
    this.#isClosed = true;
    clearTimeout(this.#reloadTimer);
    this.#markClosed(reason);
  }
}

const busPeer = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};

function runInterface(unit: string): string {
  return `org.freedesktop.systemd1.${unit.endsWith('.scope') ? 'Scope' : 'Service'}`;
}

function asProperties(value: unknown): Properties {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** Rows are (name, description, load, active, sub, following, path, job id, job type, job path). */
function readListing(rows: unknown): ListedUnit[] {
  if (!Array.isArray(rows)) throw new Error('the list of units is not a list');
  return rows.map((row: unknown) => {
    const [unit, , , activeState, subState, , path, , jobType] = Array.isArray(row) ? row.map(String) : [];
    if (unit === undefined || activeState === undefined) throw new Error('a row of the list of units is too short');
    return { unit, activeState, subState: subState ?? '', path: path ?? '', jobType: jobType ?? '' };
  });
}
