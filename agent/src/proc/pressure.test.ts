import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parsePressure, readPressure } from './pressure.ts';

it('reads the share of the last ten seconds', () => {
  expect(readPressure(fixtureTree('debian-12'), 'memory')).toEqual({ someAvg10: 0.11, fullAvg10: 0.05 });
});

it('has no full share where the kernel tells none', () => {
  expect(parsePressure('some avg10=2.56 avg60=4.39 avg300=4.54 total=42741603\n')).toEqual({
    someAvg10: 2.56,
    fullAvg10: null,
  });
});

it('F044 is null with PSI off', () => {
  expect(readPressure(fixtureTree('centos-7'), 'cpu')).toBeNull();
  expect(parsePressure('')).toBeNull();
});
