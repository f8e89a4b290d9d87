import type { Client } from './client.ts';
import type { Style, Terminal } from './terminal.ts';

/** What every command works with. The collector is asked only when a command needs it. */
export interface Context {
  readonly client: () => Client;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly terminal: Terminal;
  readonly style: Style;
  readonly now: () => number;
  /** The code to end with when nothing fails. */
  readonly exitWith: (code: number) => void;
}

/** One JSON document, as the API told it: `--json`. */
export function printJson(context: Context, document: unknown): void {
  context.print(`${JSON.stringify(document, null, 2)}\n`);
}

/** `--json` of every command that shows something. */
export interface JsonFlag {
  readonly json?: boolean;
}

export const jsonFlag = ['--json', 'one JSON document, for programs'] as const;
