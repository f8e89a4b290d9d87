import { expect, it } from 'vitest';
import { findingOf } from './finding.ts';

const around = { job: 'train', node: 'n1', nodes: 1, jobs: 1 };

it('points at the job that fails wherever it runs, and at the node where everything fails', () => {
  expect(findingOf({ ...around, nodes: 4, jobs: 2 })).toBe(
    'train failed on 4 nodes within an hour: look at the job first',
  );
  expect(findingOf({ ...around, jobs: 3 })).toBe('3 jobs failed on n1 within an hour: look at the node first');
});

it('says nothing of a lone failure, and when both would be true', () => {
  expect([around, { ...around, jobs: 2 }, { ...around, nodes: 5, jobs: 5 }].map(findingOf)).toEqual([null, null, null]);
});
