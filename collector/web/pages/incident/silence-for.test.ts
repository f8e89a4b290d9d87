import { expect, it } from 'vitest';
import { silenceFor } from './silence-for.ts';

it('begins a silence for an incident with its conditions on their nodes, on any where none is known', () => {
  const conditions = ['TaskFailed'];

  expect(silenceFor({ conditions, nodes: ['gpu-1', 'gpu-2'] })).toEqual({
    node: ['gpu-1', 'gpu-2'],
    condition: ['TaskFailed'],
  });
  expect(silenceFor({ conditions, nodes: [] })).toEqual({ condition: ['TaskFailed'] });
});
