import { matchesGlob } from '../model/glob.ts';
import type { ProcessMatch } from './settings.ts';

/** What is known of a process when a rule asks whether it speaks of it. Null: not readable, which matches nothing. */
export interface ProcessTraits {
  readonly name: string;
  /** Its arguments joined by blanks. */
  readonly commandLine: string | null;
  /** Its path below the cgroup mount. */
  readonly cgroup: string | null;
}

/** Longest part of a command line that is looked at. */
const MAX_COMMAND_LINE = 4096;

export function matchesProcess(match: ProcessMatch, traits: ProcessTraits): boolean {
  switch (match.by) {
    case 'command':
      return [traits.name, programName(traits.commandLine)].some(
        (name) => name !== null && matchesGlob(name, match.pattern),
      );
    case 'command_line':
      return matchesGlob(traits.commandLine?.slice(0, MAX_COMMAND_LINE) ?? '', `*${match.pattern}*`);
    case 'unit':
      return unitsOf(traits.cgroup).some((unit) => matchesGlob(unit, match.pattern));
    case 'cgroup':
      return traits.cgroup !== null && foldersOf(traits.cgroup).some((path) => matchesGlob(path, match.pattern));
  }
}

/** The file's name in the first argument: longer than the 15 bytes the kernel keeps. */
function programName(commandLine: string | null): string | null {
  const program = commandLine?.split(' ', 1)[0] ?? '';
  return program === '' ? null : program.slice(program.lastIndexOf('/') + 1);
}

/** The services and scopes of a path: a container's scope may lie inside a service's cgroup. */
function unitsOf(cgroup: string | null): string[] {
  return (cgroup ?? '').split('/').filter((part) => part.endsWith('.service') || part.endsWith('.scope'));
}

/** `/a/b` → `/a`, `/a/b`. */
function foldersOf(cgroup: string): string[] {
  const parts = cgroup.split('/').slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
