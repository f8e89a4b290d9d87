import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parseLoadAverage, parseNewestPid, readLoadAverage, readNewestPid } from './loadavg.ts';

it('reads the three averages', () => {
  expect(readLoadAverage(fixtureTree('debian-12'))).toEqual({ load1: 0.72, load5: 0.92, load15: 0.55 });
});

it('F044 has none where there is no file or no number', () => {
  expect(readLoadAverage('/nowhere')).toBeNull();
  expect(parseLoadAverage('')).toBeNull();
  expect(parseLoadAverage('a b c 1/2 3')).toBeNull();
});

it('reads the pid that was given away last', () => {
  expect(readNewestPid(fixtureTree('debian-12'))).toBe(25_741);
  expect(readNewestPid('/nowhere')).toBeNull();
  expect(parseNewestPid('0.00 0.00 0.00 1/2')).toBeNull();
});
