import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { readKernelFile } from './kernel-file.ts';
import { parseLoadAverage, parseNewestPid } from './loadavg.ts';

const text = readKernelFile(fixtureTree('debian-12'), '/proc/loadavg') ?? '';

it('reads the three averages', () => {
  expect(parseLoadAverage(text)).toEqual({ load1: 0.72, load5: 0.92, load15: 0.55 });
});

it('F044 has none where there is no number', () => {
  expect(parseLoadAverage('')).toBeNull();
  expect(parseLoadAverage('a b c 1/2 3')).toBeNull();
});

it('reads the pid that was given away last', () => {
  expect(parseNewestPid(text)).toBe(25_741);
  expect(parseNewestPid('0.00 0.00 0.00 1/2')).toBeNull();
});
