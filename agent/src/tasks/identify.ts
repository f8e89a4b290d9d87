import { createHash } from 'node:crypto';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { TaskIdentity, TaskSource } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod/mini';
import { isGitHubJobContainer, knownSchedulers } from './known-schedulers.ts';
import { countStars, takeByGlob } from './name-glob.ts';

const text = z.string({ error: 'expected text' }).check(z.minLength(1, { error: 'expected text that is not empty' }));

const variable = text.check(
  z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected the name of an environment variable' }),
);

/**
 * One entry of `tasks.identify`: what all globs of `match` must fit, and what is `set` then. In `set`, `$1` is what the
 * first `*` took (counted through unit, container, cgroup, description, command, then the labels and the environment as
 * written), and `${unit}`, `${container}`, `${user}`, `${label.team}`, `${env.TEAM}` stand for the whole of a thing; `$$` is a
 * dollar sign. Of a task's environment nothing is ever read but the variables that rules name.
 */
export const identifyRule = z
  .strictObject({
    match: z.strictObject({
      unit: z.optional(text),
      container: z.optional(text),
      cgroup: z.optional(text),
      description: z.optional(text),
      command: z.optional(text),
      label: z.optional(z.record(text, text)),
      env: z.optional(z.record(variable, text)),
    }),
    set: z.strictObject({
      task_id: z.optional(text),
      job: z.optional(text),
      project: z.optional(text),
      owner: z.optional(text),
      name: z.optional(text),
    }),
  })
  .check(({ value, issues }) => {
    const fault = faultOf(value);
    if (fault !== null) issues.push({ code: 'custom', message: fault, input: value });
  });
export type IdentifyRule = z.infer<typeof identifyRule>;

/** What is known of a run when it begins. */
export interface IdentifiableRun {
  readonly source: TaskSource;
  /** The source's own name of this one run: an invocation id, a container's id and start, a run id. */
  readonly runKey: string;
  readonly unit: string | null;
  /** Below the cgroup2 mount, where it is known. */
  readonly cgroup?: string | null;
  readonly containerId: string | null;
  readonly containerName: string | null;
  readonly image: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Of its main process, only what {@link variablesOf} names; empty while unread. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly description: string | null;
  readonly command: string | null;
  readonly user: string | null;
  readonly startedAt: number | null;
  /** Said by the one who started it (`runnerwatch run --job …`): beats every rule. */
  readonly run: {
    readonly name: string | null;
    readonly job: string | null;
    readonly project: string | null;
    readonly owner: string | null;
  } | null;
}

/** Whose run of work it is. Each rule that fits sets what those before it left open: first `rules`, then the known schedulers'. */
export function identify(
  run: IdentifiableRun,
  { nodeId, rules }: { readonly nodeId: string; readonly rules: readonly IdentifyRule[] },
): TaskIdentity {
  const known = { ...run, command: run.command ?? commandOf(run) };
  const id = idOf(run, nodeId);
  const found: Found = {};
  for (const rule of [...rules, ...knownRules]) fillFrom(rule, known, found);
  if (isGitHubJobContainer(run.containerName, run.labels)) found.job ??= 'github-actions';
  return {
    id,
    task_id: found.task_id ?? id,
    name: run.run?.name ?? found.name ?? nameOf(known),
    job: run.run?.job ?? found.job ?? null,
    project: run.run?.project ?? found.project ?? null,
    owner: run.run?.owner ?? found.owner ?? (isRoot(run.user) ? null : run.user),
    source: run.source,
    unit: run.unit,
    container_id: run.containerId,
    command: known.command,
    started_at: run.startedAt === null ? null : toInstant(run.startedAt),
  };
}

/** The environment variables that these rules and the built-in ones ask for. */
export function variablesOf(rules: readonly IdentifyRule[]): ReadonlySet<string> {
  const all = [...rules, ...knownRules];
  const named = all.flatMap(({ set }) =>
    Object.values(set).flatMap((template) =>
      [...(template ?? '').matchAll(/\$\{env\.([^{}]*)\}/g)].map(([, name]) => name ?? ''),
    ),
  );
  return new Set([...all.flatMap(({ match }) => Object.keys(match.env ?? {})), ...named]);
}

/** Of the run that a ledger calls by this key. */
export function idOfKey(key: string, nodeId: string): string {
  const [source = ''] = key.split(':', 1);
  return idOf({ source, runKey: key.slice(source.length + 1) }, nodeId);
}

/** The same run gets the same id again after a crash, and no other run on any node does: a digest written as a UUID of version 8 (RFC 9562). */
function idOf({ source, runKey }: { source: string; runKey: string }, nodeId: string): string {
  const bytes = createHash('sha256').update(`${nodeId}\0${source}\0${runKey}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const knownRules: readonly IdentifyRule[] = knownSchedulers;
const settable = ['task_id', 'job', 'project', 'owner', 'name'] as const;
type Found = Partial<Record<(typeof settable)[number], string>>;

function fillFrom({ match, set }: IdentifyRule, run: IdentifiableRun, found: Found): void {
  const taken: string[] = [];
  for (const [word, glob] of globsOf(match)) {
    const subject = wordOf(run, word);
    const more = subject === null ? null : takeByGlob(glob, subject);
    if (more === null) return;
    taken.push(...more);
  }
  for (const field of settable) {
    const template = set[field];
    if (template !== undefined && found[field] === undefined) {
      const value = fill(template, (word) =>
        /^\d+$/.test(word) ? (taken[Number(word) - 1] ?? null) : wordOf(run, word),
      );
      if (value !== null) found[field] = value;
    }
  }
}

/** The globs of a rule by the word of what they must fit, in the order in which their stars count. */
function globsOf({ label, env, ...match }: IdentifyRule['match']): [string, string][] {
  const { unit, container, cgroup, description, command } = match;
  const labels = Object.entries(label ?? {}).map(([name, glob]) => [`label.${name}`, glob] as const);
  const variables = Object.entries(env ?? {}).map(([name, glob]) => [`env.${name}`, glob] as const);
  const all = [...Object.entries({ unit, container, cgroup, description, command }), ...labels, ...variables];
  return all.flatMap(([word, glob]) => (glob === undefined ? [] : [[word, glob]]));
}

const words: ReadonlySet<string> = new Set(['unit', 'container', 'cgroup', 'description', 'command', 'image', 'user']);

function wordOf(run: IdentifiableRun, word: string): string | null {
  if (word.startsWith('label.')) return entryOf(run.labels, word.slice('label.'.length));
  if (word.startsWith('env.')) return entryOf(run.environment ?? {}, word.slice('env.'.length));
  const values: Readonly<Record<string, string | null | undefined>> = {
    ...run,
    container: run.containerName,
    labels: null,
    environment: null,
    run: null,
    startedAt: null,
  };
  return words.has(word) ? (values[word] ?? null) : null;
}

function entryOf(entries: Readonly<Record<string, string>>, name: string): string | null {
  return Object.hasOwn(entries, name) ? (entries[name] ?? null) : null;
}

const reference = /\$(?:(\d+)|\{([^{}]*)\}|(\$)|)/g;

/** Null when something it refers to is not there or empty: half a name misleads. */
function fill(template: string, valueOf: (word: string) => string | null): string | null {
  let isWhole = true;
  const value = template.replace(reference, (_, ...groups: (string | undefined)[]) => {
    const [star, word, dollar] = groups;
    if (dollar !== undefined) return dollar;
    const part = valueOf(star ?? word ?? '');
    if (part === null || part === '') isWhole = false;
    return part ?? '';
  });
  return isWhole ? value : null;
}

function faultOf({ match, set }: IdentifyRule): string | null {
  const globs = globsOf(match);
  if (globs.length === 0)
    return 'match is empty: say at least one of unit, container, cgroup, description, command, label, env';
  const templates = settable.flatMap((field) => set[field] ?? []);
  if (templates.length === 0) return `set is empty: say at least one of ${settable.join(', ')}`;
  const stars = globs.reduce((sum, [, glob]) => sum + countStars(glob), 0);
  for (const template of templates) {
    for (const [all, star, word, dollar] of template.matchAll(reference)) {
      if (dollar !== undefined) continue;
      if (star !== undefined && (Number(star) < 1 || Number(star) > stars))
        return `${all} refers to nothing: match has ${stars} of *`;
      if (star === undefined && !(words.has(word ?? '') || /^(?:label|env)\../.test(word ?? ''))) {
        return `${all} refers to nothing: expected $1, \${label.NAME}, \${env.NAME}, or one of ${[...words].map((one) => `\${${one}}`).join(', ')}`;
      }
    }
  }
  return null;
}

/** What systemd-run makes up when it is given no name: run-r<random>, run-u<bus name>, run-p<pid>-i<inode>. */
const madeUpUnit = /^run-(?:r[0-9a-f]+|u\d+|p\d+-i\d+|\d+)\.(?:scope|service)$/;

function nameOf({ source, runKey, unit, containerName, command }: IdentifiableRun): string {
  const program = command === null ? null : programOf(command);
  const ownUnit = unit === null || madeUpUnit.test(unit) ? null : unit.replace(/\.(?:scope|service)$/, '');
  const byLikelihood =
    source === 'run' ? [program] : source === 'systemd' ? [ownUnit, program, unit] : [containerName, program];
  return byLikelihood.find((name) => name !== null && name !== '') ?? `${source}-${runKey.slice(0, 12)}`;
}

/** `/usr/bin/python3 train.py` → `python3`. */
function programOf(command: string): string | null {
  const [, single, double, bare] = /^\s*(?:'([^']+)'|"([^"]+)"|(\S+))/.exec(command) ?? [];
  const path = single ?? double ?? bare ?? '';
  return path.split('/').findLast((part) => part !== '') ?? null;
}

/**
 * A scope has no ExecStart=, but systemd-run describes it by the command line with the program's whole path (behind
 * `[systemd-run] ` since 256), and HakuRiver by its task's number and command. Any other description is prose.
 */
function commandOf({ source, unit, description }: IdentifiableRun): string | null {
  if (source !== 'systemd' || unit?.endsWith('.scope') !== true || description === null) return null;
  return (
    /^(?:\[systemd-run\] |HakuRiver Task \S+: )([^]+)$/.exec(description)?.[1] ??
    (description.startsWith('/') ? description : null)
  );
}

function isRoot(user: string | null): boolean {
  return user === 'root' || user === '0' || user === '';
}
