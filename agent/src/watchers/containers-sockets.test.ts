import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import { findContainerSockets, isSameSocket } from './containers-sockets.ts';

describe('the sockets of container engines', () => {
  it('are also those that had containers, once each by whatever name, and one that is away', () => {
    const folder = temporaryFolderSync();
    const user = join(folder, 'docker.sock');
    writeFileSync(user, '');
    symlinkSync(user, join(folder, 'other-name.sock'));
    const away = join(folder, 'away', 'podman.sock');

    const found = findContainerSockets(folder, [join(folder, 'other-name.sock'), away, user]);

    expect(found.filter(({ socketPath }) => socketPath.startsWith(folder))).toEqual([
      { engine: 'docker', socketPath: user },
      { engine: 'podman', socketPath: away },
    ]);
  });

  it('are the same by their place, also while they are not there', () => {
    const folder = temporaryFolderSync();
    mkdirSync(join(folder, 'run'));
    symlinkSync('run', join(folder, 'var-run'));

    expect(isSameSocket(join(folder, 'run/docker.sock'), join(folder, 'var-run/docker.sock'))).toBe(true);
    expect(isSameSocket(join(folder, 'run/docker.sock'), join(folder, 'run/podman.sock'))).toBe(false);
  });
});
