import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMismatch, fits } from './matcher.ts';

describe('patterns', () => {
  it('fit like their translation to a regular expression', () => {
    const piece = fc.constantFrom('a', 'b', '.', '*', '?', 'ä', '[');
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'ä', '['), maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
        text,
        (pattern, value) => {
          const source = pattern.replace(/[.[]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
          expect(fits(pattern, value)).toBe(new RegExp(`^${source}$`, 's').test(value));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('F078 take no longer for a hostile pattern than its length times the text', () => {
    const startedAt = performance.now();

    expect(fits(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);

    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});

describe('matchers', () => {
  const attributes = {
    node: 'gpu-07',
    node_id: 'n-1',
    job: 'train',
    project: null,
    status: 'failed',
    labels: { rack: 'r1' },
  };

  it('all have to hold, and one pattern of each is enough', () => {
    expect(
      findMismatch(
        [
          { key: 'node', patterns: ['cpu-*', 'gpu-*'] },
          { key: 'label.rack', patterns: ['r1'] },
        ],
        attributes,
      ),
    ).toBeNull();
    expect(
      findMismatch(
        [
          { key: 'node', patterns: ['n-1'] },
          { key: 'status', patterns: ['timed_out'] },
        ],
        attributes,
      ),
    ).toMatchObject({ key: 'status' });
  });

  it('do not hold on what is not known', () => {
    expect(findMismatch([{ key: 'project', patterns: ['*'] }], attributes)?.key).toBe('project');
    expect(findMismatch([{ key: 'label.zone', patterns: ['*'] }], attributes)?.key).toBe('label.zone');
    expect(findMismatch([{ key: 'label.constructor', patterns: ['*'] }], attributes)?.key).toBe('label.constructor');
  });
});
