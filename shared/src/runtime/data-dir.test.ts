import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { ensureDir } from './data-dir.ts';
import { StartFailure } from './start-failure.ts';

describe('a folder of ours', () => {
  it('is made with its parents and its mode, and left as it is when it is there', async () => {
    const path = join(await temporaryFolder(), 'a', 'b', 'c');

    ensureDir(path, 0o700);
    ensureDir(path, 0o700);

    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('that the file system refuses is said at once, with what to do', () => {
    expect(() => ensureDir('/proc/nope/deeper', 0o700)).toThrow(StartFailure);
    expect(() => ensureDir('/proc/nope/deeper', 0o700)).toThrow(
      /^\/proc\/nope\/deeper: cannot be made .*set data_dir$/,
    );
  });

  it('in whose place or way a file lies is refused', async () => {
    const file = join(await temporaryFolder(), 'file');
    writeFileSync(file, '');

    expect(() => ensureDir(file, 0o700)).toThrow(/EEXIST/);
    expect(() => ensureDir(join(file, 'folder'), 0o700)).toThrow(/ENOTDIR/);
  });
});
