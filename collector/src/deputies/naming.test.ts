import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, deputiesMax, nameDeputies } from './naming.ts';

const on = (host: string, nodeId: string): Candidate => ({ nodeId, name: nodeId, host });
const nobody = () => false;
const ids = (places: readonly (Candidate | null)[]) => places.map((one) => one?.nodeId ?? null);

describe('F128 deputies', () => {
  it('are those that have been there for longest, each on a machine of its own', () => {
    const here = [on('a', 'a1'), on('a', 'a2'), on('b', 'b1'), on('c', 'c1'), on('d', 'd1')];

    expect(ids(nameDeputies([], { here, isExpected: nobody }))).toEqual(['a1', 'b1', 'c1']);
  });

  it('share a machine when there are no others, until there are', () => {
    const alone = nameDeputies([], { here: [on('a', 'a1'), on('a', 'a2')], isExpected: nobody });
    const here = [on('a', 'a1'), on('a', 'a2'), on('b', 'b1')];

    expect(ids(alone)).toEqual(['a1', 'a2', null]);
    expect(ids(nameDeputies(alone, { here, isExpected: nobody }))).toEqual(['a1', 'a2', 'b1']);
    expect(ids(nameDeputies(alone, { here: [...here, on('c', 'c1')], isExpected: nobody }))).toEqual([
      'a1',
      'c1',
      'b1',
    ]);
  });

  it('keep their places while they are expected back; who stays away is replaced in its rank', () => {
    const held = [on('a', 'a1'), on('b', 'b1'), on('c', 'c1')];
    const here = [on('d', 'd1'), on('c', 'c1'), on('a', 'a1')];

    expect(ids(nameDeputies(held, { here, isExpected: (id) => id === 'b1' }))).toEqual(['a1', 'b1', 'c1']);
    expect(ids(nameDeputies(held, { here, isExpected: nobody }))).toEqual(['a1', 'd1', 'c1']);
  });

  it('are as many as there can be, each once, and the same when asked again', () => {
    const candidate = fc.record({
      nodeId: fc.stringMatching(/^[a-h]$/),
      name: fc.constant('n'),
      host: fc.stringMatching(/^[x-z]$/),
    });
    const some = fc.uniqueArray(candidate, { maxLength: 8, selector: ({ nodeId }) => nodeId });
    fc.assert(
      fc.property(some, some, (before, here) => {
        const held = nameDeputies([], { here: before, isExpected: nobody });
        const places = nameDeputies(held, { here, isExpected: nobody });
        const named = places.flatMap((one) => one ?? []);

        expect(named).toHaveLength(Math.min(deputiesMax, here.length));
        expect(new Set(named.map(({ nodeId }) => nodeId)).size).toBe(named.length);
        expect(new Set(named.map(({ host }) => host)).size).toBe(
          Math.min(named.length, new Set(here.map(({ host }) => host)).size),
        );
        expect(nameDeputies(places, { here, isExpected: nobody })).toEqual(places);
      }),
    );
  });
});
