import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { listPids, readCommandLine } from './pids.ts';

const root = fixtureTree('debian-12');

it('lists the processes and nothing else of /proc', () => {
  expect(listPids(root)?.toSorted()).toEqual(['1', '2', '812', '900', '901']);
});

it('joins the arguments of a process with blanks', () => {
  expect(readCommandLine(root, 812)).toBe('/usr/bin/python3 train.py --gpu 0');
  expect(readCommandLine(root, 2)).toBe('');
});

it('F044 has none of a process that is gone, and no list without /proc', () => {
  expect(readCommandLine(root, 4711)).toBeNull();
  expect(listPids('/nowhere')).toBeNull();
});
