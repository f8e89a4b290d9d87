import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findTraceback } from './traceback.ts';

/* Captured from python3 3.11, node 20, perl, bash, dash, gcc 12, javac 17, rustc, make, pip; Go, Ruby, PyTorch and NCCL after their documents. */
const folder = new URL('../../../test/fixtures/tracebacks/', import.meta.url);

const expected: Readonly<Record<string, readonly [headline: string | null, lines: number]>> = {
  'asan.txt': ['AddressSanitizer: heap-use-after-free /home/joe/a.c:2 in main', 19],
  'bash-no-file.txt': ['bash: line 1: ./nosuch.sh: No such file or directory', 1],
  'bash-not-found.txt': ['s.sh: line 2: nosuchcommand: command not found', 1],
  'bash-unset.txt': ['bash: line 1: UNSET: unbound variable', 1],
  'c-assert.txt': ["as: as.c:2: main: Assertion `1==2' failed.", 1],
  'cpp-terminate.txt': ['std::runtime_error: bad thing', 2],
  'dash-not-found.txt': ['s.sh: 2: nosuchcommand: not found', 1],
  'gcc-error.txt': ['c.c:1:20: error: ‘x’ undeclared (first use in this function)', 4],
  'gcc-link.txt': ["l.c:(.text+0xa): undefined reference to `f'", 1],
  'go-panic.txt': ['panic: runtime error: index out of range [3] with length 0', 8],
  'java.txt': ['java.lang.IllegalStateException: no state', 13],
  'make.txt': ['make: *** [Makefile:2: all] Error 1', 1],
  'nccl.txt': ['NCCL WARN socketStartConnect: Connect to 10.0.0.2<43211> failed : Software caused connection abort', 1],
  'node-rejection-text.txt': [expect.stringMatching(/^UnhandledPromiseRejection: .*"just text"\.$/) as string, 10],
  'node-rejection.txt': ['Error: late', 18],
  'node-typeerror.txt': ["TypeError: Cannot read properties of null (reading 'b')", 13],
  'nothing.txt': [null, 0],
  'perl-die.txt': ['Can\'t call method "method" on an undefined value at -e line 1.', 1],
  'pip.txt': ['ERROR: No matching distribution found for nosuchpackage-xyz', 1],
  'python-assert.txt': ['AssertionError', 3],
  'python-chained.txt': ['ValueError: no weights in model.pt', 16],
  'python-group.txt': ['ExceptionGroup: many (2 sub-exceptions)', 8],
  'python-import.txt': ["ModuleNotFoundError: No module named 'nosuchmodule'", 3],
  'python-interrupt.txt': ['KeyboardInterrupt', 3],
  'python-multiline.txt': ['MultiError: first line', 3],
  'python-recursion.txt': ['RecursionError: maximum recursion depth exceeded', 7],
  'python-syntax.txt': ['SyntaxError: invalid syntax', 4],
  'ruby.txt': ["a.rb:2:in `fetch': key not found: :weights (KeyError)", 3],
  'rust-panic-old.txt': ['no weights', 2],
  'rust-panic.txt': ['index out of bounds: the len is 0 but the index is 3', 14],
  'rustc-error.txt': ['error[E0308]: mismatched types', 7],
  'segv.txt': ['bash: line 1: 25044 Segmentation fault      ./seg', 1],
  'torch-elastic.txt': [
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.15 GiB of which 1.06 GiB is free.',
    4,
  ],
};

function linesOf(file: string): string[] {
  return readFileSync(new URL(file, folder), 'utf8').replaceAll('\t', '    ').trimEnd().split('\n');
}

describe('what a program said of its failure', () => {
  it('is known for every captured text', () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(expected));
  });

  it.each(Object.entries(expected))('is found in %s', (file, [headline, lines]) => {
    const found = findTraceback(linesOf(file));

    expect([found?.headline ?? null, found?.lines.length ?? 0]).toEqual([headline, lines]);
  });

  it.each(Object.entries(expected))(
    'is the same when %s came over stderr between lines of stdout',
    (file, [headline, lines]) => {
      const mixed = linesOf(file).flatMap((line) => [`stderr: ${line}`, 'epoch 1 loss 0.3']);

      const found = findTraceback(mixed);

      expect([found?.headline ?? null, found?.lines.length ?? 0]).toEqual([headline, lines]);
    },
  );

  it('is the last of two, not the one that passes it on', () => {
    const first = linesOf('python-chained.txt');
    const second = linesOf('python-import.txt');
    const passedOn = [
      'Traceback (most recent call last):',
      '  File "run.py", line 1',
      "subprocess.CalledProcessError: Command 'x' returned non-zero exit status 1.",
    ];

    expect(findTraceback([...first, ...second])?.headline).toBe("ModuleNotFoundError: No module named 'nosuchmodule'");
    expect(findTraceback([...first, ...passedOn])?.headline).toBe('ValueError: no weights in model.pt');
  });

  it('is a long stack shortened in its middle', () => {
    const frames = Array.from({ length: 80 }, (_, at) => `  File "a.py", line ${at}, in f`);
    const found = findTraceback(['Traceback (most recent call last):', ...frames, 'ValueError: no']);

    expect(found?.lines).toHaveLength(31);
    expect(found?.lines[8]).toBe('… [52 lines]');
    expect(found?.lines.at(-1)).toBe('ValueError: no');
  });

  it('never fails, whatever the lines', () => {
    const words = fc.constantFrom(
      'Traceback (most recent call last):',
      '  at x',
      'Error: x',
      'panic: x',
      "thread 'a' panicked at 'b', c",
      '',
      'stderr: ',
      'terminate called ',
      '  File "a", line 1',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 60 }), (lines) => {
        const found = findTraceback(lines);

        expect(found === null || found.lines.length > 0).toBe(true);
      }),
    );
  });
});
