import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { Message, type MessageBus, MessageType, sessionBus, Variant } from '@jellybrick/dbus-next';
import { pathOfUnit, unitOfPath } from '../../agent/src/watchers/systemd/unit-path.ts';

const managerPath = '/org/freedesktop/systemd1';
const managerInterface = 'org.freedesktop.systemd1.Manager';

export interface FakeUnit {
  readonly name: string;
  readonly invocationId: string;
  activeState: string;
  subState: string;
  result: string;
  execMainCode: number;
  execMainStatus: number;
  readonly startedAt: number;
  readonly mainStartedAt?: number;
  endedAt: number;
  readonly argv: readonly string[];
  readonly memoryMax: bigint;
  readonly runtimeMaxUs: bigint;
}

/**
 * Speaks on a real bus as PID 1 does, in its order and with its traps: a question about a unit that is not loaded
 * loads a blank one (UnitNew), answers `success`, and drops it (UnitRemoved); a reload drops and re-adds every unit;
 * nothing is said to anybody before Subscribe.
 */
export class FakeSystemd {
  readonly units = new Map<string, FakeUnit>();
  /** Questions about units that were not there: the watcher's mistake, as PID 1 would feel it. */
  blankLoads: string[] = [];
  calls: string[] = [];
  readonly #address: string;
  readonly #jobs = new Map<number, string>();
  #bus: MessageBus | null = null;
  #nextJob = 1;
  #invocations = 0;
  #isSubscribed = false;
  /** Set to hold back answers to GetAll until released. */
  holdAnswers = false;
  #held: (() => void)[] = [];
  /** Happens in the same breath as the answer to a listing, which does not know of it. */
  afterListing: (() => void) | null = null;
  /** Set to say nothing of itself, and answer all the same. */
  isMute = false;

  constructor(address: string) {
    this.#address = address;
  }

  async start(): Promise<void> {
    const bus = sessionBus({ busAddress: this.#address, authMethods: ['EXTERNAL'] });
    hearErrors(bus);
    await once(bus, 'connect');
    // Before it has its name: whoever waits for that may call in the same breath.
    this.#bus = bus;
    this.#isSubscribed = false;
    bus.addMethodHandler((message) => this.#answer(message));
    await bus.requestName('org.freedesktop.systemd1');
  }

  stop(): void {
    const connection: unknown = this.#bus === null ? null : Reflect.get(this.#bus, '_connection');
    const stream: unknown = connection === null ? null : Reflect.get(Object(connection), 'stream');
    if (stream instanceof Duplex) stream.destroy();
    this.#bus = null;
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  releaseAnswers(): void {
    this.holdAnswers = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  newInvocationId(): string {
    this.#invocations += 1;
    return this.#invocations.toString(16).padStart(32, '0');
  }

  /** `systemd-run --scope --unit=NAME`: UnitNew, start job, active. */
  startUnit(name: string, facts: Partial<FakeUnit> = {}): FakeUnit {
    const unit = this.makeUnit(name, facts);
    this.#signal('UnitNew', 'so', [name, pathOfUnit(name)]);
    const job = this.queueJob(name, 'start');
    this.aboutToStart(unit);
    this.changed(unit);
    this.finishJob(job, name);
    return unit;
  }

  /** The new invocation id is told before the unit leaves its state, with the times of the run before (none here). */
  aboutToStart(unit: FakeUnit, before: Partial<FakeUnit> = {}): void {
    this.changed({ ...unit, activeState: 'inactive', subState: 'dead', startedAt: 0, endedAt: 0, ...before });
  }

  makeUnit(name: string, facts: Partial<FakeUnit> = {}): FakeUnit {
    const unit: FakeUnit = {
      name,
      invocationId: this.newInvocationId(),
      activeState: 'active',
      subState: 'running',
      result: 'success',
      execMainCode: 0,
      execMainStatus: 0,
      startedAt: Date.now(),
      endedAt: 0,
      argv: ['/bin/sh', '-c', 'sleep 1; exit 3'],
      memoryMax: 52_428_800n,
      runtimeMaxUs: 0xffff_ffff_ffff_ffffn,
      ...facts,
    };
    this.units.set(name, unit);
    return unit;
  }

  /** The run's Result, then the unit inactive (or failed and kept), then UnitRemoved. */
  endUnit(unit: FakeUnit, end: Partial<FakeUnit> = {}, { keep = false } = {}): void {
    const isFailure = end.result !== undefined && end.result !== 'success';
    Object.assign(unit, {
      activeState: isFailure ? 'failed' : 'inactive',
      subState: isFailure ? 'failed' : 'dead',
      endedAt: Date.now(),
      ...end,
    });
    this.changed(unit);
    if (!keep) this.removeUnit(unit);
  }

  removeUnit(unit: FakeUnit): void {
    this.units.delete(unit.name);
    this.#signal('UnitRemoved', 'so', [unit.name, pathOfUnit(unit.name)]);
  }

  /** Started and gone within one turn of PID 1's loop: changes are told once, in their last state. */
  flashUnit(name: string, end: Partial<FakeUnit> = {}): FakeUnit {
    const unit = this.makeUnit(name);
    this.#signal('UnitNew', 'so', [name, pathOfUnit(name)]);
    const job = this.queueJob(name, 'start');
    Object.assign(unit, { activeState: 'inactive', subState: 'dead', endedAt: Date.now(), ...end });
    this.changed(unit);
    this.finishJob(job, name);
    this.removeUnit(unit);
    return unit;
  }

  queueJob(unit: string, type: string): number {
    const job = this.#nextJob;
    this.#nextJob += 1;
    this.#jobs.set(job, type);
    this.#signal('JobNew', 'uos', [job, `${managerPath}/job/${job}`, unit]);
    return job;
  }

  finishJob(job: number, unit: string, result = 'done'): void {
    this.#jobs.delete(job);
    this.#signal('JobRemoved', 'uoss', [job, `${managerPath}/job/${job}`, unit, result]);
  }

  changed(unit: FakeUnit): void {
    const path = pathOfUnit(unit.name);
    this.#propertiesChanged(path, runInterface(unit.name), runSignal(unit));
    this.#propertiesChanged(path, 'org.freedesktop.systemd1.Unit', unitSignal(unit));
  }

  /** `systemctl daemon-reload`; `meanwhile` happens while nothing is said. */
  reload(meanwhile: () => void = () => {}): void {
    this.#signal('Reloading', 'b', [true]);
    const before = [...this.units.keys()];
    for (const name of before) this.#signal('UnitRemoved', 'so', [name, pathOfUnit(name)]);
    const wasSubscribed = this.#isSubscribed;
    this.#isSubscribed = false;
    meanwhile();
    this.#isSubscribed = wasSubscribed;
    for (const name of this.units.keys()) this.#signal('UnitNew', 'so', [name, pathOfUnit(name)]);
    this.#signal('Reloading', 'b', [false]);
  }

  /** `systemctl daemon-reexec`: another process image, another connection, the name changes its owner. */
  async reexec(meanwhile: () => void = () => {}): Promise<void> {
    this.#signal('Reloading', 'b', [true]);
    this.stop();
    meanwhile();
    await this.start();
  }

  #answer(message: Message): boolean {
    const bus = this.#bus;
    if (bus === null) return false;
    const { member, path, body } = message;
    this.calls.push(`${member} ${unitOfPath(path) ?? path}`);
    if (path === managerPath && member === 'Subscribe') {
      this.#isSubscribed = true;
      bus.send(Message.newMethodReturn(message));
      return true;
    }
    if (path === managerPath && member === 'ListUnitsByPatterns') {
      bus.send(Message.newMethodReturn(message, 'a(ssssssouso)', [this.#list(body[0])]));
      this.afterListing?.();
      return true;
    }
    if (path.startsWith(`${managerPath}/job/`)) {
      const type = this.#jobs.get(Number(path.split('/').at(-1)));
      bus.send(
        type === undefined
          ? Message.newError(message, 'org.freedesktop.DBus.Error.UnknownObject', 'no such job')
          : Message.newMethodReturn(message, 'v', [new Variant('s', type)]),
      );
      return true;
    }
    const unit = unitOfPath(path);
    if (unit === null || (member !== 'GetAll' && member !== 'Get')) return false;
    const respond = () => this.#properties(message, unit);
    if (this.holdAnswers) this.#held.push(respond);
    else respond();
    return true;
  }

  #properties(message: Message, name: string): void {
    const known = this.units.get(name);
    if (known === undefined) {
      this.blankLoads.push(name);
      this.#signal('UnitNew', 'so', [name, pathOfUnit(name)]);
    }
    const of = String(message.body[0]);
    const isUnit = of === 'org.freedesktop.systemd1.Unit';
    const all = isUnit ? unitProperties(name, known) : runProperties(name, known);
    this.#bus?.send(
      message.member === 'GetAll'
        ? Message.newMethodReturn(message, 'a{sv}', [all])
        : Message.newMethodReturn(message, 'v', [all[String(message.body[1])]]),
    );
    if (known === undefined) this.#signal('UnitRemoved', 'so', [name, pathOfUnit(name)]);
  }

  #list(states: unknown): unknown[] {
    return [...this.units.values()]
      .filter((unit) => Array.isArray(states) && states.includes(unit.activeState))
      .map((unit) => [
        unit.name,
        unit.argv.join(' '),
        'loaded',
        unit.activeState,
        unit.subState,
        '',
        pathOfUnit(unit.name),
        0,
        '',
        '/',
      ]);
  }

  #propertiesChanged(path: string, of: string, changed: Record<string, Variant>): void {
    this.#send(
      Message.newSignal(path, 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', [of, changed, []]),
    );
  }

  #signal(member: string, signature: string, body: unknown[]): void {
    this.#send(Message.newSignal(managerPath, managerInterface, member, signature, body));
  }

  #send(message: Message): void {
    if (this.#isSubscribed && !this.isMute && message.type === MessageType.SIGNAL) this.#bus?.send(message);
  }
}

/** An 'error' event that nobody hears would end the process. */
function hearErrors(bus: { on(event: 'error', listener: (error: unknown) => void): unknown }): void {
  bus.on('error', () => {});
}

function runInterface(name: string): string {
  return `org.freedesktop.systemd1.${name.endsWith('.scope') ? 'Scope' : 'Service'}`;
}

function unitSignal(unit: FakeUnit): Record<string, Variant> {
  return {
    ActiveState: new Variant('s', unit.activeState),
    SubState: new Variant('s', unit.subState),
    InvocationID: new Variant('ay', Buffer.from(unit.invocationId, 'hex')),
    StateChangeTimestamp: new Variant('t', BigInt(unit.endedAt || unit.startedAt) * 1000n),
    InactiveExitTimestamp: new Variant('t', BigInt(unit.startedAt) * 1000n),
    ActiveEnterTimestamp: new Variant('t', BigInt(unit.startedAt) * 1000n),
    InactiveEnterTimestamp: new Variant('t', BigInt(unit.endedAt) * 1000n),
    Job: new Variant('(uo)', [0, '/']),
    ConditionResult: new Variant('b', true),
  };
}

function runSignal(unit: FakeUnit): Record<string, Variant> {
  if (unit.name.endsWith('.scope')) return { Result: new Variant('s', unit.result) };
  return {
    Result: new Variant('s', unit.result),
    MainPID: new Variant('u', unit.execMainCode === 0 ? 4242 : 0),
    ExecMainStartTimestamp: new Variant('t', BigInt(unit.mainStartedAt ?? unit.startedAt) * 1000n),
    ExecMainExitTimestamp: new Variant('t', BigInt(unit.execMainCode === 0 ? 0 : unit.endedAt || Date.now()) * 1000n),
    ExecMainCode: new Variant('i', unit.execMainCode),
    ExecMainStatus: new Variant('i', unit.execMainStatus),
  };
}

function unitProperties(name: string, unit: FakeUnit | undefined): Record<string, Variant> {
  if (unit !== undefined) {
    return {
      ...unitSignal(unit),
      LoadState: new Variant('s', 'loaded'),
      Description: new Variant('s', unit.argv.join(' ')),
    };
  }
  return {
    ActiveState: new Variant('s', 'inactive'),
    SubState: new Variant('s', 'dead'),
    InvocationID: new Variant('ay', Buffer.alloc(0)),
    InactiveExitTimestamp: new Variant('t', 0n),
    InactiveEnterTimestamp: new Variant('t', 0n),
    LoadState: new Variant('s', 'not-found'),
    Description: new Variant('s', name),
  };
}

function runProperties(name: string, unit: FakeUnit | undefined): Record<string, Variant> {
  const infinity = 0xffff_ffff_ffff_ffffn;
  const execStart = unit === undefined ? [] : [[unit.argv[0], [...unit.argv], false, 0n, 0n, 0n, 0n, 4242, 0, 0]];
  return {
    Result: new Variant('s', unit?.result ?? 'success'),
    ControlGroup: new Variant('s', unit === undefined ? '' : `/system.slice/${name}`),
    MemoryMax: new Variant('t', unit?.memoryMax ?? infinity),
    RuntimeMaxUSec: new Variant('t', unit?.runtimeMaxUs ?? infinity),
    ...(name.endsWith('.scope')
      ? {}
      : {
          ...(unit === undefined ? {} : runSignal(unit)),
          User: new Variant('s', 'ml'),
          ExecStart: new Variant('a(sasbttttuii)', execStart),
        }),
  };
}
