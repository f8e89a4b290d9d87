import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parseBootId, readBootId } from './boot-id.ts';

it('reads the id of this boot', () => {
  expect(readBootId(fixtureTree('debian-12'))).toBe('5f0c0c1e-8a57-4a1b-9d0c-3f6f2c1b7e90');
});

it('F044 has none where it is absent or not an id', () => {
  expect(readBootId(fixtureTree('centos-7'))).toBeNull();
  expect(parseBootId('not an id\n')).toBeNull();
});
