import { createRedact } from '@runnerwatch/shared/redact/redact.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finishLog, finishText } from './finish.ts';

const redact = createRedact({ isEnabled: true, patterns: [] });
const token = `ghp_${'a1B2'.repeat(9)}`;

describe('the last words of a task', () => {
  it('keep their order, and put what explains the end beside them', () => {
    const lines = [
      'epoch 1',
      'stderr: Traceback (most recent call last):',
      'stderr:   File "a.py", line 1',
      'epoch 2',
      'stderr: ValueError: no',
    ];

    expect(finishLog(lines, redact)).toEqual({
      tail: lines,
      excerpt: ['Traceback (most recent call last):', '  File "a.py", line 1', 'ValueError: no'],
      headline: 'ValueError: no',
    });
  });

  it('F125 have no secret in any of them, also not one that an escape sequence or an invisible mark cuts in two', () => {
    const hidden = `${token.slice(0, 9)}\u001b[0m${token.slice(9, 20)}\u200b${token.slice(20)}`;

    const shown = finishLog(
      [`ValueError: ${hidden}`, 'Traceback (most recent call last):', '  x', `ValueError: ${token}`],
      redact,
    );

    expect(shown.tail[0]).toBe('ValueError: [redacted: github token]');
    expect(shown.headline).toBe('ValueError: [redacted: github token]');
    expect(shown.excerpt?.at(-1)).toBe('ValueError: [redacted: github token]');
  });

  it('F077 F125 of a line without end are its beginning, without half a secret', () => {
    const [line] = finishLog([`${'x '.repeat(990)}${token}${' y'.repeat(100_000)}`], redact).tail;
    const [cut] = finishLog([`${`${token} `.repeat(400)}`], redact).tail;

    expect(line?.length).toBeLessThan(2_050);
    expect(line).toMatch(/ more characters\]$/);
    expect(line).not.toContain('a1B2');
    expect(cut).not.toContain('a1B2');
    expect(finishLog([line ?? ''], redact).tail).toEqual([line]);
  });

  it('F037 are no more than 64 KiB, the newest, and say how many are missing', () => {
    const lines = Array.from({ length: 100 }, (_, at) => `${at} ${'é'.repeat(1_500)}`);

    const { tail } = finishLog(lines, redact);

    expect(Buffer.byteLength(tail.join('\n'))).toBeLessThanOrEqual(64 * 1024);
    expect(tail[0]).toBe(`… [${100 - (tail.length - 1)} earlier lines]`);
    expect(tail.at(-1)).toBe(lines.at(-1));
    expect(finishLog(tail, redact).tail).toEqual(tail);
  });

  it('F116 F125 have neither control characters nor a planted secret, whatever lies around it', () => {
    const noise = fc.string({ unit: 'binary', maxLength: 100 });
    const planted = fc.tuple(noise, noise).map(([before, after]) => `${before} ${token} ${after}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(noise, planted), { maxLength: 20 }), (lines) => {
        const { tail, excerpt, headline } = finishLog(lines, redact);

        for (const line of [...tail, ...(excerpt ?? []), headline ?? '']) {
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
          expect(line).not.toContain(token);
        }
      }),
    );
  });

  it('of a task that said nothing are none', () => {
    expect(finishLog([], redact)).toEqual({ tail: [], excerpt: null, headline: null });
  });
});

describe('a text that leaves the node', () => {
  it('F077 F116 F125 keeps its lines, and loses escapes, secrets and what is too much', () => {
    expect(finishText(`a\u001b[31m\ncurl -u joe:${token}`, redact)).toBe('a\ncurl -u joe:[redacted: github token]');
    expect(finishText('x'.repeat(10_000_000), redact).length).toBeLessThan(8_100);
  });
});
