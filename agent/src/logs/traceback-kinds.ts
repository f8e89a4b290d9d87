/** Lines `from` to before `to`, and the one that says what it was. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly headline: string;
}

/** How one language or tool says that it failed. */
export interface TracebackKind {
  /** A stack is worth more than a single line that follows it soon. */
  readonly weight: number;
  find(lines: readonly string[]): Iterable<Block>;
}

const stack = 25;
const line = 5;

/** All that are known. A new one is one entry here and a captured text in test/fixtures/tracebacks. */
export const tracebackKinds: readonly TracebackKind[] = [
  { weight: stack, find: python },
  // A file that Python cannot read has no stack.
  blocks({
    head: /^ {2}File ".*", line \d+$/,
    body: /^ {4}|^(?:SyntaxError|IndentationError|TabError): /,
    headline: /^\w+Error: .*/,
  }),
  // Java, Kotlin, Scala.
  blocks({
    head: /^(?:Exception in thread ".*" )?((?:[\w$]+\.)+[\w$]*(?:Exception|Error|Throwable)\b.*)/,
    body: /^\s+(?:at |\.{3} \d+)|^(?:Caused by|Suppressed): /,
    least: 2,
  }),
  // Node.js and browsers: the message, then where.
  blocks({
    head: /^(?:Uncaught )?([\w$.]*(?:Error|Exception|Rejection)\b(?: \[\w+\])?(?:: .*)?)$/,
    body: /^\s+(?:at |\.{3} |\[cause\]|\w+: |\^)|^}/,
    least: 2,
    before: /^\s*\^+$|^\s*$|^\S+:\d+$|^\s+\S|[;(){}]$/,
  }),
  // Go: https://pkg.go.dev/runtime#hdr-Environment_Variables, GOTRACEBACK.
  blocks({
    head: /^((?:panic|fatal error): .*)/,
    body: /^\s|^$|^goroutine \d+|^\[signal |^\S+\(.*\)$|^created by |^exit status/,
    least: 2,
  }),
  { weight: stack, find: rust },
  { weight: stack, find: terminate },
  // Sanitizers of GCC and Clang: the report ends with its summary.
  blocks({
    head: /^=+\d+=+ ?ERROR: ((?:\w+Sanitizer): .*)/,
    body: /^(?!Shadow bytes|==)/,
    headline: /^SUMMARY: (.*)/,
  }),
  // Ruby.
  blocks({ head: /^(\S+:\d+:in [`'].*': .* \([\w:]+\))$/, body: /^\s+(?:\d+: )?from / }),
  { weight: line, find: python3Groups },
  single(/Assertion [`'].*' failed\.?$/),
  single(/: runtime error: /),
  single(/^(?:.* )?((?:CUDA (?:error|out of memory)|cuDNN error|cuBLAS error|NCCL (?:WARN|error)|nccl\w+Error)\b.*)/),
  single(/(?:^|: (?: *\d+ )?)(?:Segmentation fault|Bus error|Illegal instruction|Floating point exception)\b/),
  // Shells: `s.sh: line 2: nosuchcommand: command not found`.
  single(
    /^[\w./+-]+: (?:line )?\d+: .*(?:not found|No such file or directory|Permission denied|unbound variable|parameter not set|[Ss]yntax error.*|cannot execute.*|bad substitution)$/,
  ),
  // Compilers and linkers: the first complaint counts, the others follow from it.
  { weight: line, find: compiler },
  single(/^make(?:\[\d+\])?: \*{3} /),
  // pip, and whoever says it so.
  { weight: line, find: (lines) => last(lines, /^(?:ERROR|FATAL|CRITICAL|fatal|panic)(?:: |\t| \[)/) },
  // Perl.
  { weight: line, find: (lines) => last(lines, /^\S.* at \S+ line \d+\.$/) },
];

interface BlockShape {
  /** Its first line; what its group took is the headline. */
  readonly head: RegExp;
  /** What goes on behind it. */
  readonly body: RegExp;
  /** Where the headline is another one: the last of these. */
  readonly headline?: RegExp;
  /** Fewer lines are none. */
  readonly least?: number;
  /** What may stand before the head and is of it, at most four. */
  readonly before?: RegExp;
}

function blocks({ head, body, headline, least = 1, before }: BlockShape): TracebackKind {
  return {
    weight: stack,
    *find(lines) {
      for (let from = 0; from < lines.length; from += 1) {
        const found = head.exec(lines[from] ?? '');
        if (found === null) continue;
        const to = endOf(lines, from + 1, body);
        if (to - from < least) continue;
        const said =
          headline &&
          lines
            .slice(from, to)
            .flatMap((one) => headline.exec(one) ?? [])
            .at(-1);
        if (headline === undefined || said !== undefined)
          yield { from: before ? startOf(lines, from, before) : from, to, headline: said ?? found[1] ?? found[0] };
        from = to - 1;
      }
    },
  };
}

/** Without the empty lines at its end. */
function endOf(lines: readonly string[], from: number, body: RegExp): number {
  let to = from;
  while (to < lines.length && body.test(lines[to] ?? '')) to += 1;
  while (to > from && (lines[to - 1] ?? '').trim() === '') to -= 1;
  return to;
}

function startOf(lines: readonly string[], from: number, before: RegExp): number {
  let start = from;
  while (start > 0 && from - start < 4 && before.test(lines[start - 1] ?? '')) start -= 1;
  return start;
}

function single(pattern: RegExp): TracebackKind {
  return { weight: line, find: (lines) => last(lines, pattern) };
}

function* last(lines: readonly string[], pattern: RegExp): Generator<Block> {
  const at = lines.findLastIndex((one) => pattern.test(one));
  const text = lines[at];
  if (text !== undefined) yield { from: at, to: at + 1, headline: pattern.exec(text)?.[1] ?? text.trim() };
}

const pythonHead = /^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):/;
const pythonError = /^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:: .*|:)?$/;
const pythonChain = /^(?:The above exception was the direct cause|During handling of the above exception)/;

/** One with what it was chained to before it: the last is what ended the program. */
function* python(lines: readonly string[]): Generator<Block> {
  let from: number | null = null;
  for (let at = 0; at < lines.length; at += 1) {
    if (!pythonHead.test(lines[at] ?? '')) continue;
    const start: number = from ?? at;
    let end = at + 1;
    while (end < lines.length && /^\s/.test(lines[end] ?? '')) end += 1;
    const error = lines[end];
    if (error === undefined || !pythonError.test(error)) continue;
    const isChained = pythonChain.test(lines[end + 2] ?? '') && pythonHead.test(lines[end + 4] ?? '');
    from = isChained ? start : null;
    if (!isChained) yield { from: start, to: end + 1, headline: error };
    at = end;
  }
}

function* python3Groups(lines: readonly string[]): Generator<Block> {
  const from = lines.findLastIndex((one) => /^\s*\+ Exception Group Traceback /.test(one));
  if (from === -1) return;
  const to = endOf(lines, from + 1, /^\s*[|+]/);
  const said = lines.slice(from, to).flatMap((one) => /^\s*\| (\w+: .*\(\d+ sub-exceptions?\))$/.exec(one)?.[1] ?? []);
  yield { from, to, headline: said[0] ?? lines[from]?.trim() ?? '' };
}

/** Since Rust 1.73 the message stands on its own line; before, within the first. */
function* rust(lines: readonly string[]): Generator<Block> {
  for (const [from, text] of lines.entries()) {
    const [, old] = /^thread '.*' panicked at '(.*)', \S+$/.exec(text) ?? [];
    if (old === undefined && !/^thread '.*' (?:\(\d+\) )?panicked at \S+:\d+:\d+:$/.test(text)) continue;
    const to = endOf(lines, from + (old === undefined ? 2 : 1), /^stack backtrace:|^\s+(?:\d+: |at )|^note: /);
    yield { from, to: Math.min(to, lines.length), headline: old ?? lines[from + 1] ?? text };
  }
}

function* terminate(lines: readonly string[]): Generator<Block> {
  for (const [from, text] of lines.entries()) {
    const [, kind] =
      /^terminate called (?:after throwing an instance of '(.*)'|without an active exception)/.exec(text) ?? [];
    if (!text.startsWith('terminate called ')) continue;
    const [, what] = /^\s+what\(\):\s+(.*)/.exec(lines[from + 1] ?? '') ?? [];
    yield {
      from,
      to: what === undefined ? from + 1 : from + 2,
      headline: kind === undefined ? text : [kind, what].filter(Boolean).join(': '),
    };
  }
}

const compilerError =
  /^(?:\S+:\d+(?::\d+)?: (?:fatal |internal compiler )?error: |error(?:\[E\d+\])?: (?!aborting)|CMake Error|.*undefined reference to )/;

function* compiler(lines: readonly string[]): Generator<Block> {
  const from = lines.findIndex((one) => compilerError.test(one));
  const text = lines[from];
  if (text === undefined) return;
  const to = endOf(lines, from + 1, /^\s*\d* \||^\s+\S|^\S+: note: /);
  yield { from, to, headline: text };
}
