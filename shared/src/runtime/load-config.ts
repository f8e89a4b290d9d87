import { existsSync, readFileSync } from 'node:fs';
import { type Document, isMap, LineCounter, parse, parseDocument } from 'yaml';
import * as z from 'zod/mini';
import { expectation } from './expectation.ts';
import { StartFailure } from './start-failure.ts';

export interface ConfigSource {
  /** Where the file is. `required`: a person named it, so it must be there. */
  readonly file: { readonly path: string; readonly required: boolean } | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values from the command line, by dotted key; they win over everything. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** A value that is wrong beside others, or by more than its kind; `key` is its dotted name. */
export class ConfigFault extends StartFailure {
  readonly key: string;

  constructor(key: string, expected: string, options?: ErrorOptions) {
    super('config', `${key}: ${expected}`, options);
    this.key = key;
  }
}

/** Where a configuration that was understood came from, in words. */
export function describeSource({ file }: ConfigSource): string {
  if (file === undefined || !existsSync(file.path)) return `no ${file?.path ?? 'file'}: defaults and environment`;
  return `${file.path} is understood`;
}

/**
 * Reads one program's configuration: flags over environment over file over the schema's defaults.
 * The environment name of a key is `RUNNERWATCH_` and its path in upper case, dots as underscores.
 * Secrets may be in a file of their own: a text key `x` is filled from `x_file` when the schema has both.
 * `judge` sees what the schema lets pass, and may throw a {@link ConfigFault}.
 *
 * @throws StartFailure naming file, line and column, key, and what was expected there.
 */
export function loadConfig<T extends z.ZodMiniType>(
  schema: T,
  source: ConfigSource,
  judge: (config: z.output<T>) => void = () => {},
): z.output<T> {
  const file = source.file && readDocument(source.file.path, source.file.required);
  const raw = withoutEmpty(asRecord(file?.document.toJS() ?? {}, source.file?.path ?? 'configuration'));
  const origins = new Map<string, string>();
  for (const key of leafKeys(schema)) {
    const name = environmentName(key);
    const value = source.environment[name];
    if (value === undefined) continue;
    origins.set(key, `environment ${name}`);
    setAt(raw, key, environmentValue(value));
    const other = otherWayToSay(key);
    if (other !== undefined && source.environment[environmentName(other)] === undefined) removeAt(raw, other);
  }
  for (const [key, value] of Object.entries(source.flags ?? {})) {
    if (value === undefined) continue;
    origins.set(key, `command line (${key})`);
    setAt(raw, key, value);
  }
  const ground = { file, origins };
  const result = z.safeParse(schema, raw, { error: expectation });
  if (!result.success) throw new StartFailure('config', explain(result.error.issues, ground));
  try {
    const config = deepFreeze(withSecretFiles(result.data, []) as z.output<T>);
    judge(config);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new StartFailure('config', `${placeOf(error.key.split('.'), ground)}: ${error.message}`, { cause: error });
  }
}

/** What was read, to say where a value came from. */
interface Ground {
  readonly file: ConfigFile | undefined;
  readonly origins: ReadonlyMap<string, string>;
}

interface ConfigFile {
  readonly path: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

function readDocument(path: string, required: boolean): ConfigFile | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !required) return undefined;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'this user may not read it' : String(code);
    throw new StartFailure(
      'config',
      `${path}: cannot read the configuration: ${reason}; name another with --config, or write one with "runnerwatch init config"`,
      { cause: error },
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const fault = document.errors[0];
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new StartFailure('config', `${path}:${line}:${col}: not valid YAML: ${fault.message}`);
  }
  return { path, document, lines };
}

/** RUNNERWATCH_NOTIFICATIONS_RENOTIFY_INTERVAL for `notifications.renotify_interval`. */
export function environmentName(key: string): string {
  return `RUNNERWATCH_${key.replaceAll('.', '_').toUpperCase()}`;
}

/** Lists and maps come as YAML flow text (`[a, b]`, `{k: v}`); everything else is text. */
function environmentValue(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return parse(value);
  } catch {
    return value;
  }
}

/** Dotted names of every key of a schema, objects walked into, everything else a leaf. */
function leafKeys(schema: z.core.$ZodType, prefix = ''): string[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodMiniObject)) return prefix === '' ? [] : [prefix];
  return Object.entries(inner.shape).flatMap(([name, child]) =>
    leafKeys(child as z.core.$ZodType, prefix === '' ? name : `${prefix}.${name}`),
  );
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodMiniOptional ||
    schema instanceof z.ZodMiniDefault ||
    schema instanceof z.ZodMiniPrefault ||
    schema instanceof z.ZodMiniNullable
  ) {
    return unwrap(schema.def.innerType);
  }
  return schema;
}

function setAt(target: Record<string, unknown>, key: string, value: unknown): void {
  const parts = key.split('.');
  const last = parts.pop() ?? key;
  let at = target;
  for (const part of parts) {
    const next = at[part];
    at =
      next !== null && typeof next === 'object' && !Array.isArray(next)
        ? (next as Record<string, unknown>)
        : (at[part] = {});
  }
  at[last] = value;
}

/** `token_file` for `token` and back: where the environment says the one, the file's other no longer counts. */
function otherWayToSay(key: string): string | undefined {
  const plain = key.replace(/_file$/, '');
  if (!secretKeys.has(plain.slice(plain.lastIndexOf('.') + 1))) return undefined;
  return plain === key ? `${key}_file` : plain;
}

function removeAt(target: Record<string, unknown>, key: string): void {
  const parts = key.split('.');
  const last = parts.pop() ?? key;
  let at: unknown = target;
  for (const part of parts) at = isRecord(at) ? at[part] : undefined;
  if (isRecord(at)) delete at[last];
}

function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new StartFailure('config', `${where}: expected keys and values, such as "data_dir: /var/lib/runnerwatch"`);
}

/** `key:` with nothing behind it, as a section whose every line is commented out, says nothing. */
function withoutEmpty(record: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(record).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([key, value]) => [key, isRecord(value) ? withoutEmpty(value) : value]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first fault, in one sentence; the others are counted. */
function explain(issues: readonly z.core.$ZodIssue[], ground: Ground): string {
  const flat = issues.flatMap((issue) => flatten(issue, []));
  const first = flat[0];
  if (!first) return 'the configuration is not valid';
  const key = first.path.join('.');
  const more = flat.length > 1 ? ` (and ${flat.length - 1} more)` : '';
  return `${placeOf(first.path, ground)}: ${key === '' ? '' : `${key}: `}${first.message}${more}`;
}

function placeOf(path: readonly PropertyKey[], { file, origins }: Ground): string {
  const key = path.join('.');
  const origin = [...origins].find(([name]) => key === name || key.startsWith(`${name}.`))?.[1];
  return origin ?? (file ? `${file.path}${position(file, path)}` : 'configuration');
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function flatten(issue: z.core.$ZodIssue, parent: readonly PropertyKey[]): Fault[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: 'unknown key; see "runnerwatch init config" for those there are',
    }));
  }
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input' && issue.errors[0]) {
    return issue.errors[0].flatMap((inner) => flatten(inner, path));
  }
  return [{ path, message: issue.message === 'Invalid input' ? 'not a valid value' : issue.message }];
}

/** `:line:col` of the deepest node on the path that the file has. */
function position(file: ConfigFile, path: readonly PropertyKey[]): string {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? file.document.contents : file.document.getIn(path.slice(0, depth - 1), true);
    const range = rangeOfKey(parent, path[depth - 1]) ?? rangeOf(file.document.getIn(path.slice(0, depth), true));
    if (range === undefined) continue;
    const { line, col } = file.lines.linePos(range);
    return `:${line}:${col}`;
  }
  return '';
}

function rangeOfKey(parent: unknown, key: PropertyKey | undefined): number | undefined {
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((item) => String(item.key) === String(key));
  return pair && rangeOf(pair.key);
}

function rangeOf(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] } | undefined)?.range?.[0];
}

function withSecretFiles(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((child, index) => withSecretFiles(child, [...path, String(index)]));
  if (value === null || typeof value !== 'object') return value;
  const record: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) record[key] = withSecretFiles(child, [...path, key]);
  for (const [key, child] of Object.entries(record)) {
    const plain = key.replace(/_file$/, '');
    if (!secretKeys.has(plain) || plain === key || typeof child !== 'string') continue;
    if (record[plain] !== undefined) {
      throw new ConfigFault([...path, plain].join('.'), `give either ${plain} or ${key}, not both`);
    }
    record[plain] = readSecret(child, [...path, key].join('.'));
  }
  return record;
}

/** Keys whose value may instead stand in the file that `<key>_file` names. */
const secretKeys: ReadonlySet<string> = new Set([
  'token',
  'secret',
  'password',
  'url',
  'webhook',
  'bot_token',
  'routing_key',
  'api_key',
  'topic',
  'heartbeat_url',
  'heartbeat_token',
]);

function readSecret(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigFault(
      key,
      `cannot read ${path} (${code ?? 'unknown reason'}); create it readable by this user only`,
      {
        cause: error,
      },
    );
  }
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
