import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parseMountInfo, readMountInfo } from './mountinfo.ts';

it('reads each mount, with blanks in its place and any number of optional fields', () => {
  const mounts = parseMountInfo(readMountInfo(fixtureTree('debian-12')) ?? '');

  expect(mounts).toHaveLength(14);
  expect(mounts[6]).toEqual({
    deviceNumber: '254:17',
    fsRoot: '/',
    mountPoint: '/data of ours',
    fstype: 'xfs',
    source: '/dev/vdb1',
  });
  expect(mounts[7]).toMatchObject({ fsRoot: '/var/lib/docker', mountPoint: '/var/lib/docker' });
});

it('gives every mount point back as it was, and leaves out what is no whole line', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\/[ -~\t\n]*$/), (place) => {
      const escaped = place.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
      const text = `36 35 98:0 / ${escaped} rw shared:1 - ext4 /dev/root rw\nhalf a line`;

      expect(parseMountInfo(text).map(({ mountPoint }) => mountPoint)).toEqual([place]);
    }),
  );
});
