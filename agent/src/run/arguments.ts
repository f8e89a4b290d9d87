import { parseArgs } from 'node:util';
import { parseDuration } from '@runnerwatch/shared/runtime/duration.ts';

export interface RunArguments {
  readonly command: readonly string[];
  readonly name: string | null;
  readonly job: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  readonly timeoutMs: number | null;
  readonly dataDir: string | null;
}

export type ParsedArguments =
  | ({ readonly kind: 'run' } & RunArguments)
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly reason: string };

export const helpText = `Usage: runnerwatch run [options] -- COMMAND [ARGUMENT …]

Runs a command as a tracked task: its end, and why, reaches whoever wants to know.
Input, output and signals pass through; nothing about the command changes when no agent runs.

Options:
  --job NAME        the job this run belongs to
  --project NAME    the project of that job
  --owner NAME      whose run it is
  --name NAME       what this one run is called
  --timeout D       after this long (90s, 5m, 1h30m) TERM to the command and all it started, KILL 10 s later
  --data-dir DIR    the agent's data directory, when it cannot be found by itself
  --help            this text

Exit code: the command's own; 128 + n when signal n ended it; 124 when the time limit did;
126 when it cannot be executed, 127 when it is not found, 125 when the options are wrong.

The facts are left in the agent's inbox, DATA_DIR/agent/inbox, where an agent finds them also if it
starts later. DATA_DIR is --data-dir or RUNNERWATCH_DATA_DIR, else a running agent's, else
/var/lib/runnerwatch for root and ~/.local/state/runnerwatch for others.

The last 100 lines of output are kept with the task, except of a stream that is a terminal.
What the command leaves running in the background should have its output redirected.
`;

/** Words after `--` are the command; without `--` it begins at the first word that is no option. */
export function parseArguments(words: readonly string[]): ParsedArguments {
  const { own, command } = split(words);
  let values: Values;
  try {
    values = parseArgs({ args: own, options, allowPositionals: false }).values;
  } catch (error) {
    return {
      kind: 'refused',
      reason: error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error),
    };
  }
  if (values.help === true) return { kind: 'help' };
  if (command.length === 0) return { kind: 'refused', reason: 'no command given' };
  const timeoutMs = values.timeout === undefined ? null : (parseDuration(values.timeout) ?? Number.NaN);
  if (Number.isNaN(timeoutMs))
    return { kind: 'refused', reason: `--timeout: "${values.timeout}" is no duration such as 90s or 1h30m` };
  const text = (value: string | undefined) => (value === undefined || value === '' ? null : value.slice(0, 1024));
  return {
    kind: 'run',
    command,
    name: text(values.name),
    job: text(values.job),
    project: text(values.project),
    owner: text(values.owner),
    // 0 is off, as everywhere.
    timeoutMs: timeoutMs === 0 ? null : timeoutMs,
    dataDir: text(values['data-dir']),
  };
}

const options = {
  job: { type: 'string' },
  project: { type: 'string' },
  owner: { type: 'string' },
  name: { type: 'string' },
  timeout: { type: 'string' },
  'data-dir': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

function split(words: readonly string[]): { own: string[]; command: string[] } {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return { own: words.slice(0, at), command: words.slice(at + 1) };
    if (!word.startsWith('-')) return { own: words.slice(0, at), command: words.slice(at) };
    if (!word.includes('=') && word !== '--help' && word !== '-h') at++;
  }
  return { own: [...words], command: [] };
}
