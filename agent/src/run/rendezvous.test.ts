import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announceAgent, findAgents, type RendezvousOptions } from './rendezvous.ts';

describe('agents that say where they are', () => {
  let base: string;
  let options: RendezvousOptions;
  let directory: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'rendezvous-'));
    const { uid } = userInfo();
    options = { uid, xdgRuntimeDir: join(base, 'xdg'), base };
    directory = uid === 0 ? join(base, 'run/runnerwatch/agents') : join(base, 'xdg/runnerwatch/agents');
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  it('are found while they live, and no longer', () => {
    const announcement = announceAgent({ pid: process.pid, dataDir: '/srv/data' }, options);
    expect(findAgents(options)).toEqual([{ pid: process.pid, dataDir: '/srv/data' }]);

    announcement.withdraw();
    expect(findAgents(options)).toEqual([]);
  });

  it('F032 are not found when their pid belongs to a later process, and their word is cleared away', () => {
    mkdirSync(directory, { recursive: true });
    const stale = join(directory, '1.json');
    writeFileSync(stale, JSON.stringify({ pid: 1, start_ticks: 123_456_789, data_dir: '/srv/old' }));
    expect(findAgents(options)).toEqual([]);

    announceAgent({ pid: process.pid, dataDir: '/srv/data' }, options);
    expect(existsSync(stale)).toBe(false);
  });

  it('are not believed where others can write, nor through a link', () => {
    announceAgent({ pid: process.pid, dataDir: '/srv/data' }, options);
    chmodSync(directory, 0o777);
    expect(findAgents(options)).toEqual([]);

    rmSync(directory, { recursive: true });
    symlinkSync(base, directory);
    expect(findAgents(options)).toEqual([]);
  });

  it('are passed over when their word makes no sense', () => {
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of [
      ['2.json', '{'],
      ['3.json', '{"pid":"x"}'],
      ['4.json', '{"pid":1,"data_dir":"relative"}'],
      ['5.txt', ''],
    ]) {
      writeFileSync(join(directory, name ?? ''), text ?? '');
    }
    expect(findAgents(options)).toEqual([]);
  });
});
