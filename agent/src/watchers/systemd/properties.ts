/*
 * Property values as the bus hands them over (dbus-next: a variant is an object with `value`; 64-bit numbers are
 * bigint; `ay` is a Buffer), read into plain records. What is absent or of another type is null.
 * Names and meanings: org.freedesktop.systemd1(5).
 */
export type Properties = Readonly<Record<string, unknown>>;

export interface UnitState {
  /** active, reloading, inactive, failed, activating, deactivating, maintenance, refreshing. */
  readonly activeState: string | null;
  readonly subState: string | null;
  /** 32 hex digits; null while the unit never started. */
  readonly invocationId: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** From `org.freedesktop.systemd1.Unit`; also complete enough inside PropertiesChanged, which carries all of these. */
export function readUnitState(properties: Properties): UnitState {
  return {
    activeState: text(properties['ActiveState']),
    subState: text(properties['SubState']),
    invocationId: invocationId(properties['InvocationID']),
    startedAt: epochMs(properties['InactiveExitTimestamp']),
    endedAt: epochMs(properties['InactiveEnterTimestamp']),
  };
}

/** When the unit came into this state: with every PropertiesChanged of `.Unit`. */
export function readStateChange(properties: Properties): { activeState: string | null; changedAt: number | null } {
  const { ActiveState: state, StateChangeTimestamp: at } = properties;
  return { activeState: text(state), changedAt: epochMs(at) };
}

export interface RunState {
  readonly result: string | null;
  /** Services: when the main process was last executed and when it ended; of the run before, until there is a new one. */
  readonly mainStartedAt: number | null;
  readonly mainEndedAt: number | null;
  readonly mainPid: number | null;
  readonly execMain: { readonly code: 'exited' | 'killed' | 'dumped'; readonly status: number } | null;
}

/** From `.Scope` or `.Service`. */
export function readRunState(properties: Properties): RunState {
  const code = siginfoCodes[number(properties['ExecMainCode']) ?? 0];
  const status = number(properties['ExecMainStatus']);
  return {
    result: text(properties['Result']),
    mainStartedAt: epochMs(properties['ExecMainStartTimestamp']),
    mainEndedAt: epochMs(properties['ExecMainExitTimestamp']),
    mainPid: positive(number(properties['ExecMainPID'])),
    execMain: code === undefined || status === null ? null : { code, status },
  };
}

/** si_code of a SIGCHLD, sigaction(2). 0: has not ended. */
const siginfoCodes: Readonly<Record<number, 'exited' | 'killed' | 'dumped'>> = {
  1: 'exited',
  2: 'killed',
  3: 'dumped',
};

export interface UnitFacts {
  readonly loaded: boolean;
  readonly description: string | null;
  readonly cgroup: string | null;
  readonly mainPid: number | null;
  readonly command: string | null;
  readonly user: string | null;
  readonly memoryMaxBytes: number | null;
  readonly runtimeMaxMs: number | null;
}

/** From the answers to GetAll on `.Unit` and on `.Scope` or `.Service`. */
export function readUnitFacts(unit: Properties, run: Properties): UnitFacts {
  const runtimeMaxUs = limit(run['RuntimeMaxUSec']);
  return {
    loaded: text(unit['LoadState']) !== 'not-found',
    description: nonEmpty(text(unit['Description'])),
    cgroup: nonEmpty(text(run['ControlGroup'])),
    mainPid: positive(number(run['MainPID'])),
    command: commandLine(value(run['ExecStart'])),
    user: nonEmpty(text(run['User'])),
    memoryMaxBytes: limit(run['MemoryMax']),
    runtimeMaxMs: runtimeMaxUs === null ? null : runtimeMaxUs / 1000,
  };
}

/** ExecStart is an array of (path, argv, ignore errors, times …); a unit may have several, the last is its main command. */
function commandLine(execStart: unknown): string | null {
  const last: unknown = Array.isArray(execStart) ? execStart.at(-1) : undefined;
  const argv: unknown = Array.isArray(last) ? last[1] : undefined;
  if (!Array.isArray(argv) || argv.length === 0) return null;
  return argv.map((word) => quoted(String(word))).join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function value(variant: unknown): unknown {
  return typeof variant === 'object' && variant !== null && 'value' in variant ? variant.value : undefined;
}

function text(variant: unknown): string | null {
  const raw = value(variant);
  return typeof raw === 'string' ? raw : null;
}

function number(variant: unknown): number | null {
  const raw = value(variant);
  if (typeof raw === 'bigint') return Number(raw);
  return typeof raw === 'number' ? raw : null;
}

/** 2^64 − 1 says there is no limit. */
function limit(variant: unknown): number | null {
  const raw = value(variant);
  return raw === 0xffff_ffff_ffff_ffffn ? null : positive(number(variant));
}

function positive(raw: number | null): number | null {
  return raw !== null && raw > 0 ? raw : null;
}

function nonEmpty(raw: string | null): string | null {
  return raw === '' ? null : raw;
}

/** Microseconds since the epoch; 0 is never. */
function epochMs(variant: unknown): number | null {
  const us = positive(number(variant));
  return us === null ? null : Math.floor(us / 1000);
}

function invocationId(variant: unknown): string | null {
  const raw = value(variant);
  if (!(raw instanceof Uint8Array) || raw.length !== 16 || raw.every((byte) => byte === 0)) return null;
  return Buffer.from(raw).toString('hex');
}
