import { describe, expect, it } from 'vitest';
import { cleanName, lastWords } from './words.ts';

describe('the log of a ping', () => {
  it('keeps its last hundred lines, each of them bounded', () => {
    const lines = Array.from({ length: 150 }, (_, index) => `line ${index}`);

    expect(lastWords(`${lines.join('\n')}\n`)).toEqual(lines.slice(50));
    expect(lastWords('x'.repeat(10_000))?.[0]).toHaveLength(4097);
  });

  it('loses its secrets, also those that escape sequences cut in two', () => {
    const kept = lastWords('connecting\nPASSWORD=hunter2hunter2\npass\u001b[31mword=hunter2hunter2\n');

    expect(kept).toHaveLength(3);
    expect(kept?.join('\n')).toContain('[redacted');
    expect(kept?.join('\n')).not.toContain('hunter2');
  });

  it('loses what moves a cursor or no table can bear, and is none when nothing is left', () => {
    expect(lastWords('a\u0000b\u001b[2J\u202ec\r\nd\te\ud800')).toEqual(['abc', 'd\te']);
    expect(lastWords(' \n\u001b[0m\n')).toBeNull();
  });

  it('leaves of a name what can be shown', () => {
    expect(cleanName(' back\u001bup\n')).toBe('backup');
    expect(cleanName('\u0000')).toBeNull();
  });
});
