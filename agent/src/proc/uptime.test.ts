import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parseUptimeSeconds, readUptimeSeconds } from './uptime.ts';

it('reads the seconds since boot', () => {
  expect(readUptimeSeconds(fixtureTree('debian-12'))).toBe(1298.32);
});

it('F044 has none where there is no file or no number', () => {
  expect(readUptimeSeconds('/nowhere')).toBeNull();
  expect(parseUptimeSeconds('soon')).toBeNull();
});
