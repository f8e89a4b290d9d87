import { constants } from 'node:os';
import * as z from 'zod/mini';
import { EngineError, parseJson } from './containers-client.ts';
import type { ContainerFacts, ContainerSocket, Engine } from './watcher.ts';

/*
 * What is taken over from the engine's answers (Docker Engine API v1.41, "/events", "/containers/json",
 * "/containers/{id}/json"), and nothing else: the environment of a container, where secrets are, is never read.
 */

const containerId = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const versionAnswer = z.object({
  ApiVersion: z.string().check(z.regex(/^\d+\.\d+$/)),
  MinAPIVersion: z.optional(z.string()),
  Components: z.optional(z.nullable(z.array(z.object({ Name: z.optional(z.string()) })))),
});

const listAnswer = z.array(
  z.object({ Id: containerId, Names: z.optional(z.nullable(z.array(z.string()))), State: z.optional(z.string()) }),
);

const inspectAnswer = z.object({
  Id: containerId,
  Name: z.string(),
  Created: z.optional(z.string()),
  Path: z.optional(z.string()),
  Args: z.optional(z.nullable(z.array(z.string()))),
  State: z.object({
    Status: z.string(),
    Pid: z.optional(z.int()),
    ExitCode: z.optional(z.int()),
    Error: z.optional(z.string()),
    OOMKilled: z.optional(z.boolean()),
    StartedAt: z.optional(z.string()),
    FinishedAt: z.optional(z.string()),
  }),
  Config: z.object({
    Image: z.optional(z.string()),
    Labels: z.optional(z.nullable(z.record(z.string(), z.string()))),
    Tty: z.optional(z.boolean()),
  }),
  HostConfig: z.optional(z.object({ Memory: z.optional(z.number()), AutoRemove: z.optional(z.boolean()) })),
});

const eventAnswer = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.optional(z.nullable(z.record(z.string(), z.string()))) }),
  time: z.optional(z.number()),
  timeNano: z.optional(z.number()),
});

/** The newest version of the API that this code was written against, and the oldest it can use. */
const OURS = { newest: '1.47', oldest: '1.24' };

/** `/v1.41`: the highest version both sides speak; newer engines than ours say the lowest they still speak. */
export function negotiate(answer: unknown): { prefix: string; engine: Engine } {
  const {
    ApiVersion: newest,
    MinAPIVersion: oldest = OURS.oldest,
    Components,
  } = accept(versionAnswer, answer, 'version');
  const version = compareVersions(newest, OURS.newest) < 0 ? newest : OURS.newest;
  if (compareVersions(newest, OURS.oldest) < 0)
    throw new EngineError('status', `the engine's API ${newest} is older than ${OURS.oldest}; update the engine`);
  const usable = compareVersions(version, oldest) < 0 ? oldest : version;
  const isPodman = (Components ?? []).some(({ Name }) => Name?.toLowerCase().includes('podman'));
  return { prefix: `/v${/^\d+\.\d+$/.test(usable) ? usable : version}`, engine: isPodman ? 'podman' : 'docker' };
}

function compareVersions(a: string, b: string): number {
  const [aParts, bParts] = [a, b].map((version) => version.split('.').map(Number));
  return (aParts?.[0] ?? 0) - (bParts?.[0] ?? 0) || (aParts?.[1] ?? 0) - (bParts?.[1] ?? 0);
}

export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  /** created, running, paused, restarting, removing, exited, dead. */
  readonly state: string;
}

/** Containers whose id is not one (F042) are left out: nothing further may be asked about them. */
export function parseList(answer: unknown): ListedContainer[] {
  if (!Array.isArray(answer)) throw new EngineError('garbage', "the engine's list of containers is no list");
  return answer.flatMap((item: unknown) => {
    const parsed = listAnswer.safeParse([item]);
    return (parsed.data ?? []).map(({ Id, Names, State }) => ({
      id: Id,
      name: nameOf(Names?.[0] ?? ''),
      state: State ?? '',
    }));
  });
}

/** One container as inspected: what is told of it, and what only the watcher needs. */
export interface InspectedContainer {
  readonly facts: ContainerFacts;
  readonly status: string;
  readonly exitCode: number | null;
  readonly error: string | null;
  readonly oomKilled: boolean | null;
  readonly createdAt: number | null;
  readonly finishedAt: number | null;
  /** The engine removes it, logs and all, as soon as it has ended (`--rm`). */
  readonly isAutoRemoved: boolean;
  readonly hasTerminal: boolean;
}

export function parseInspect(answer: unknown, { engine, socketPath }: ContainerSocket): InspectedContainer {
  const { Id, Name, Created, Path, Args, State, Config, HostConfig } = accept(inspectAnswer, answer, 'container');
  const command = [Path ?? '', ...(Args ?? [])].join(' ').trim();
  return {
    facts: {
      engine,
      socketPath,
      containerId: Id,
      name: nameOf(Name),
      image: Config.Image || null,
      labels: boundedLabels(Config.Labels ?? {}),
      command: command === '' ? null : command,
      cgroup: null,
      pid: State.Pid || null,
      memoryMaxBytes: HostConfig?.Memory || null,
      startedAt: parseInstant(State.StartedAt),
    },
    status: State.Status,
    exitCode: State.ExitCode ?? null,
    error: State.Error || null,
    oomKilled: State.OOMKilled ?? null,
    createdAt: parseInstant(Created),
    finishedAt: parseInstant(State.FinishedAt),
    isAutoRemoved: HostConfig?.AutoRemove ?? false,
    hasTerminal: Config.Tty ?? false,
  };
}

/** One event of the engine. Those of other kinds of things have no container. */
export interface EngineEvent {
  /** The same for the same event told twice. */
  readonly key: string;
  readonly at: number;
  readonly container: ContainerEvent | null;
}

export interface ContainerEvent {
  readonly id: string;
  readonly action: string;
  readonly at: number;
  /** What an inspection would say, as far as the event itself says it. */
  readonly facts: ContainerFacts;
  readonly exitCode: number | null;
  readonly signal: number | null;
}

/** Null: JSON, but no event as we know them. A container event about an impossible id counts as one without a container. */
export function parseEvent(line: string, socket: ContainerSocket): EngineEvent | null {
  const parsed = eventAnswer.safeParse(parseJson(line));
  if (!parsed.success) return null;
  const { Type, Action, Actor, time } = parsed.data;
  // As a number the nanoseconds would lose their last digits; in the text no other place can look like this one.
  const nanos = /"timeNano":\s*(\d+)/.exec(line)?.[1];
  const at = nanos === undefined ? (time ?? 0) * 1000 : Number(BigInt(nanos) / 1_000_000n);
  const isContainer = Type === 'container' && containerId.safeParse(Actor.ID).success;
  return {
    key: `${nanos ?? time} ${Type} ${Action} ${Actor.ID}`,
    at,
    container: isContainer ? toContainerEvent({ Action, Actor, at, socket }) : null,
  };
}

function toContainerEvent(found: {
  Action: string;
  Actor: z.infer<typeof eventAnswer>['Actor'];
  at: number;
  socket: ContainerSocket;
}): ContainerEvent {
  const { Action, Actor, at, socket } = found;
  const attributes = new Map(Object.entries(Actor.Attributes ?? {}));
  const take = (name: string) => {
    const value = attributes.get(name);
    attributes.delete(name);
    return value;
  };
  const [name, image, exitCode, podmanExitCode, signal] = [
    'name',
    'image',
    'exitCode',
    'containerExitCode',
    'signal',
  ].map(take);
  return {
    id: Actor.ID,
    // Podman's own words for the same things.
    action: { died: 'die', remove: 'destroy' }[Action] ?? Action,
    at,
    facts: {
      engine: socket.engine,
      socketPath: socket.socketPath,
      containerId: Actor.ID,
      name: nameOf(name ?? ''),
      image: image || null,
      labels: boundedLabels(Object.fromEntries(attributes)),
      command: null,
      cgroup: null,
      pid: null,
      memoryMaxBytes: null,
      startedAt: null,
    },
    exitCode: parseWhole(exitCode ?? podmanExitCode),
    signal: parseSignal(signal),
  };
}

/** `15`, `SIGTERM` or `TERM`. */
function parseSignal(text: string | undefined): number | null {
  const number = parseWhole(text);
  if (number !== null || text === undefined) return number;
  const name = text.toUpperCase().replace(/^(SIG)?/, 'SIG');
  return Object.entries(constants.signals).find(([known]) => known === name)?.[1] ?? null;
}

function parseWhole(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Go writes a time that never was as the year 1. */
function parseInstant(text: string | undefined): number | null {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? null : ms;
}

function nameOf(name: string): string {
  return name.replace(/^\//, '').slice(0, MAX_TEXT);
}

const MAX_LABELS = 256;
const MAX_TEXT = 1024;

/** What a person can attach to a container without bound must not fill the spool (F042). */
function boundedLabels(labels: Record<string, string>): Record<string, string> {
  const entries = Object.entries(labels).slice(0, MAX_LABELS);
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(0, MAX_TEXT), value.slice(0, MAX_TEXT)]));
}

function accept<T extends z.ZodMiniType>(schema: T, answer: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new EngineError(
    'garbage',
    `the engine's ${what} is not what its API promises: ${parsed.error.issues[0]?.path.join('.')}`,
  );
}
