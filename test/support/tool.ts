import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a test's tool is on this machine. Where CI runs it must be, and its absence is an error;
 * elsewhere the tests that need it are skipped, and this says so.
 */
export function haveTool(command: string, install: string, folders: readonly string[] = []): boolean {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...folders];
  if (places.some((folder) => isExecutable(join(folder, command)))) return true;
  const missing = `${command} is not on this machine: ${install}`;
  if (process.env['CI']) throw new Error(missing);
  process.stderr.write(`\nSKIPPED for want of a tool: ${missing}\n`);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
