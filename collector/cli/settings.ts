import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { defaultDataDir } from '@runnerwatch/shared/runtime/data-dir.ts';
import { loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import * as z from 'zod/mini';
import { CliFailure } from './failure.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Which collector to ask, and as whom. */
export interface CliSettings {
  readonly url: string;
  /** Tried in turn while the collector answers 401 or 403; null is asking without one. */
  readonly tokens: readonly (string | null)[];
}

/** Whose command it is: what the process knows of its user. */
export interface CliUser {
  readonly env: Env;
  readonly home: string;
  readonly uid: number;
}

export const defaultUrl = 'http://127.0.0.1:4777';

/** `~/.config/runnerwatch/cli.yaml` */
const cliSchema = z.strictObject({
  url: z.optional(field.httpUrl),
  token: z.optional(field.text),
  token_file: z.optional(field.path),
});

/**
 * Flag, environment, `~/.config/runnerwatch/cli.yaml`, default. Without a token of its own, a command on the collector's
 * machine uses the credential in the data directory, if it may read it; that one never goes to another machine.
 * @throws CliFailure naming what is wrong and where.
 */
export function readSettings({ env, home, uid }: CliUser, flags: { url?: string } = {}): CliSettings {
  const file = join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'runnerwatch', 'cli.yaml');
  const { url = defaultUrl, token: fileToken } = readConfig(file, env, flags);
  const token = env['RUNNERWATCH_API_TOKEN'] ?? fileToken;
  if (token !== undefined && token !== '') return { url, tokens: [token.trim()] };
  if (!isThisMachine(new URL(url).hostname)) return { url, tokens: [null] };
  const named = env['RUNNERWATCH_DATA_DIR'];
  const places =
    named === undefined
      ? [defaultDataDir({ uid, home, xdgStateHome: env['XDG_STATE_HOME'] }), '/var/lib/runnerwatch']
      : [named];
  const local = places.flatMap((dir) => readLocalCredential(dir));
  return { url, tokens: [null, ...new Set(local)] };
}

function readConfig(path: string, env: Env, flags: { url?: string }) {
  try {
    return loadConfig(cliSchema, {
      file: { path, required: false },
      environment: { RUNNERWATCH_URL: env['RUNNERWATCH_URL'] },
      flags,
    });
  } catch (error) {
    if (error instanceof StartFailure) throw new CliFailure('usage', error.message, { cause: error });
    throw error;
  }
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/** A convenience: where it cannot be read (not root, not installed here), the command asks without it. */
function readLocalCredential(dataDir: string): string[] {
  try {
    const text = readFileSync(join(dataDir, 'collector', 'api.token'), 'utf8').trim();
    return text === '' ? [] : [text];
  } catch {
    return [];
  }
}
