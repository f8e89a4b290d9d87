import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { readKernelFile, StandingKernelFile } from './kernel-file.ts';
import { parsePressure } from './pressure.ts';

it('reads the share of the last ten seconds', () => {
  const text = readKernelFile(fixtureTree('debian-12'), '/proc/pressure/memory') ?? '';

  expect(parsePressure(text)).toEqual({ someAvg10: 0.11, fullAvg10: 0.05 });
});

it('has no full share where the kernel tells none', () => {
  expect(parsePressure('some avg10=2.56 avg60=4.39 avg300=4.54 total=42741603\n')).toEqual({
    someAvg10: 2.56,
    fullAvg10: null,
  });
});

it('F044 is null with PSI off', () => {
  const absent = new StandingKernelFile(fixtureTree('centos-7'), '/proc/pressure/cpu', 'one');

  expect(absent.read(parsePressure)).toBeNull();
  expect(parsePressure('')).toBeNull();
});
