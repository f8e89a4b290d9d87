import { realpathSync } from 'node:fs';
import type { Engine } from './watcher.ts';

export interface ContainerSocket {
  readonly engine: Engine;
  readonly socketPath: string;
}

/** A socket of Podman's is told by its name; the engine itself is asked once it answers. */
export function socketAt(socketPath: string): ContainerSocket {
  return { engine: socketPath.includes('podman') ? 'podman' : 'docker', socketPath };
}

/**
 * Where container engines listen: Docker and Podman of the machine, and, given a user's runtime folder
 * (XDG_RUNTIME_DIR), that user's own. The machine's are named also while absent, since an engine may be installed
 * later; two names of one socket (podman-docker links one to the other) are one.
 */
export function findContainerSockets(runtimeDir: string | null): ContainerSocket[] {
  const machine = ['/var/run/docker.sock', '/run/podman/podman.sock'];
  const user = runtimeDir === null ? [] : [`${runtimeDir}/docker.sock`, `${runtimeDir}/podman/podman.sock`];
  const found = new Map<string, ContainerSocket>();
  for (const path of machine) found.set(realPath(path) ?? path, socketAt(path));
  for (const path of user) {
    const real = realPath(path);
    if (real !== null && !found.has(real)) found.set(real, socketAt(path));
  }
  return [...found.values()];
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
