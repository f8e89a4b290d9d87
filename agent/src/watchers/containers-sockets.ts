import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ContainerSocket } from './watcher.ts';

/** A socket of Podman's is told by its name; the engine itself is asked once it answers. */
export function socketAt(socketPath: string): ContainerSocket {
  return { engine: socketPath.includes('podman') ? 'podman' : 'docker', socketPath };
}

/**
 * Where container engines listen: Docker and Podman of the machine, and, given a user's runtime folder
 * (XDG_RUNTIME_DIR), that user's own. The machine's are named also while absent, since an engine may be installed
 * later, and so are those that had containers when the agent last looked; two names of one socket (podman-docker links
 * one to the other) are one.
 */
export function findContainerSockets(runtimeDir: string | null, known: readonly string[]): ContainerSocket[] {
  const machine = ['/var/run/docker.sock', '/run/podman/podman.sock'];
  const user = runtimeDir === null ? [] : [`${runtimeDir}/docker.sock`, `${runtimeDir}/podman/podman.sock`];
  const found = new Map<string, ContainerSocket>();
  for (const path of machine) found.set(realPath(path) ?? path, socketAt(path));
  for (const path of user) {
    const real = realPath(path);
    if (real !== null && !found.has(real)) found.set(real, socketAt(path));
  }
  for (const path of known) {
    const real = realPath(path) ?? path;
    if (!found.has(real)) found.set(real, socketAt(path));
  }
  return [...found.values()];
}

/** Whether two names are of one socket; also of one that is not there, as `/run` and `/var/run` call it. */
export function isSameSocket(one: string, other: string): boolean {
  return one === other || placeOf(one) === placeOf(other);
}

function placeOf(path: string): string {
  return realPath(path) ?? join(realPath(dirname(path)) ?? dirname(path), basename(path));
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
