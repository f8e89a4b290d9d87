import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyOfTree, fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { testCgroups } from '../../../test/support/cgroups.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { CgroupReader, parseIoStat, parseStall } from './cgroup-reading.ts';

const debian = `${fixtureTree('debian-12')}/sys/fs/cgroup`;
const train = '/system.slice/train.service';

describe('what the kernel counts for a cgroup', () => {
  it('is read whole', () => {
    using reader = new CgroupReader(debian);

    expect(reader.read(train)).toEqual({
      memoryBytes: 737_280_000,
      memoryPeakBytes: 912_680_550,
      memoryMaxBytes: 1_073_741_824,
      memoryLimitBytes: 536_870_912,
      oomKills: 2,
      cpuUsec: 994_120_331,
      throttledUsec: 20_417_733,
      cpuStallUsec: 5_120_034,
      memoryStallUsec: 31_220_945,
      ioStallUsec: 1_840_332,
      readBytes: 104_861_696,
      writtenBytes: 6_291_456,
      processes: 13,
    });
  });

  it('has null for no limit and for what an older kernel does not count', () => {
    using reader = new CgroupReader(debian);

    expect(reader.read('/init.scope')).toEqual({
      memoryBytes: 9_437_184,
      memoryPeakBytes: null,
      memoryMaxBytes: null,
      memoryLimitBytes: null,
      oomKills: null,
      cpuUsec: 5_500_000,
      throttledUsec: null,
      cpuStallUsec: null,
      memoryStallUsec: null,
      ioStallUsec: null,
      readBytes: null,
      writtenBytes: null,
      processes: null,
    });
  });

  it('F044 is null for a cgroup that is gone, and for a path that leads out of the mount', () => {
    using reader = new CgroupReader(debian);

    expect(['/gone.scope', '/system.slice/../init.scope', 'init.scope'].map((path) => reader.read(path))).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('is read anew at each reading, of hundreds of cgroups too', () => {
    const root = `${copyOfTree('debian-12')}/sys/fs/cgroup`;
    const paths = Array.from({ length: 200 }, (_, index) => `/t${index}.scope`);
    const set = (value: number) => {
      for (const [index, path] of paths.entries())
        writeFileSync(join(root, path, 'memory.current'), `${value + index}`);
    };
    for (const path of paths) mkdirSync(join(root, path));
    set(1000);
    using reader = new CgroupReader(root);

    const before = paths.map((path) => reader.read(path)?.memoryBytes);
    set(5000);
    reader.begin(new Set(paths));
    const after = paths.map((path) => reader.read(path)?.memoryBytes);

    expect([before.at(0), before.at(-1), after.at(0), after.at(-1)]).toEqual([1000, 1199, 5000, 5199]);
  });

  it('learns of a limit around it that changed, at the next tick', () => {
    const root = `${copyOfTree('debian-12')}/sys/fs/cgroup`;
    using reader = new CgroupReader(root);
    reader.begin(new Set([train]));
    const before = reader.read(train)?.memoryLimitBytes;
    writeFileSync(join(root, 'system.slice/memory.max'), 'max\n');

    reader.begin(new Set([train]));

    expect([before, reader.read(train)?.memoryLimitBytes]).toEqual([536_870_912, 1_073_741_824]);
  });
});

describe('a cgroup of this machine', () => {
  const cgroups = testCgroups();
  afterAll(async () => cgroups?.removeAll());

  it.runIf(cgroups !== null)('that was removed and made again under its path is read anew', async () => {
    if (cgroups === null) return;
    using reader = new CgroupReader(cgroups.root);
    const path = cgroups.make('again.scope');
    const busy = cgroups.run(path, ['/bin/sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; read x']);
    const used = await eventually(() => {
      const cpuUsec = reader.read(path)?.cpuUsec ?? 0;
      return cpuUsec > 1000 ? cpuUsec : null;
    });
    busy.kill('SIGKILL');
    await eventually(() => {
      cgroups.remove(path);
      return true;
    });
    const gone = reader.read(path);
    cgroups.make('again.scope');

    const again = reader.read(path);

    expect(used).toBeGreaterThan(1000);
    expect(gone).toBeNull();
    expect(again?.cpuUsec).toBe(0);
  });
});

describe('lines of the kernel', () => {
  it('give the total of stalls, or null where PSI is off or older', () => {
    expect(parseStall('some avg10=0.00 avg60=0.00 avg300=0.00 total=22423\nfull avg10=0.00 total=19650\n')).toBe(
      22_423,
    );
    expect([parseStall(null), parseStall(''), parseStall('full avg10=0.00 total=7\n')]).toEqual([null, null, null]);
  });

  it('give the bytes of all devices, 0 where none was used and null where nobody counts', () => {
    expect(parseIoStat('8:0 rbytes=1 wbytes=2 rios=9 wios=9 dbytes=9 dios=9\n8:16 rbytes=3 wbytes=4\n')).toEqual({
      readBytes: 4,
      writtenBytes: 6,
    });
    expect(parseIoStat('')).toEqual({ readBytes: 0, writtenBytes: 0 });
    expect(parseIoStat(null)).toEqual({ readBytes: null, writtenBytes: null });
  });
});
