import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { haveTool } from '../../../test/support/tool.ts';
import { templateName, unpackTemplate } from './embedded-template.ts';

let home: string;
let beside: string;
let folder: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'template-'));
  folder = join(home, 'into');
  mkdirSync(folder);
  beside = pathToFileURL(join(home, 'collector.mjs')).href;
});

afterEach(() => rmSync(home, { recursive: true }));

describe('the files of an empty database', () => {
  it.skipIf(!haveTool('tar', 'Debian: apt-get install tar'))(
    'come from the archive that the build put beside the program',
    async () => {
      mkdirSync(join(home, 'made'));
      writeFileSync(join(home, 'made', 'PG_VERSION'), '18\n');
      spawnSync('tar', ['-C', join(home, 'made'), '-czf', join(home, templateName), '.']);

      const isUnpacked = await unpackTemplate(folder, beside);

      expect(isUnpacked).toBe(true);
      expect(readFileSync(join(folder, 'PG_VERSION'), 'utf8')).toBe('18\n');
    },
  );

  it('are made anew when the archive is damaged or not there', async () => {
    const withoutArchive = await unpackTemplate(folder, beside);
    writeFileSync(join(home, templateName), 'not an archive');
    const withDamagedArchive = await unpackTemplate(folder, beside);

    expect([withoutArchive, withDamagedArchive]).toEqual([false, false]);
  });
});
