import { failureStatuses } from '@runnerwatch/shared/model/task.ts';

/*
 * A plain English sentence as the command line that does it. No model and no guessing: a sentence is understood when one of these
 * forms is in it, the first that is, and of the rest only times, projects and numbers are read. Words that stand for a name are
 * taken as they were typed, and never begin with a dash.
 */

/** The arguments of `runnerwatch`; undefined when the sentence is not understood. */
export function understand(sentence: string): readonly string[] | undefined {
  if (sentence.length > charactersMax) return undefined;
  const text = sentence
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replace(/[?!.]+$/, '');
  for (const { form, command } of forms) {
    const found = form.exec(text);
    if (found !== null) return command(text, found.slice(1));
  }
  return undefined;
}

/** Nobody says more in one sentence. */
const charactersMax = 500;

interface Form {
  readonly form: RegExp;
  readonly command: (text: string, found: readonly (string | undefined)[]) => readonly string[];
}

const forms: readonly Form[] = [
  { form: /\bhow (?:do|can|should) (?:i|we)\b.*\b(?:monitor|watch)/i, command: () => ['watch', '--help'] },
  { form: /\bhow (?:do|can|should) (?:i|we)\b|^help\b/i, command: () => ['--help'] },
  {
    form: /\b(?:monitoring|watch(?:es|ing)?) status\b|\bstatus of (?:the )?(?:monitoring|watch)|\b(?:is|are) being (?:monitored|watched)\b/i,
    command: () => ['watch', 'status'],
  },
  {
    form: /^(?:please )?(?:stop|end) (?:the )?(?:monitoring|monitor|watching|watch)\b ?(\w[\w-]*)?/i,
    command: (_, [id]) => ['watch', 'stop', ...(id === undefined ? [] : [id])],
  },
  { form: /^(?:please )?(?:start (?:to )?)?(?:monitor|watch)(?:ing)?\b/i, command: startOfWatch },
  {
    form: /\bwhy (?:was|were|did) (?:i|we|nobody|no one)\b.*\btold\b.*\b(task|incident) (\w[\w.-]*)/i,
    command: (_, [kind = 'task', id = '']) => ['explain', kind.toLowerCase(), id],
  },
  {
    form: /\bwhy (?:did|was|has|is) (?:task )?(\w[\w.-]*) (?:fail|end|die|stop|crash|kill|lost|get)/i,
    command: (_, [id = '']) => ['tasks', 'show', id],
  },
  {
    form: /\bwh(?:ich|at) (job|node|project|cause)s? (?:fails?|breaks?|crash(?:es)?) (?:the )?most\b/i,
    command: (text, [by = '']) => ['analytics', 'failures', '--by', by.toLowerCase(), ...sinceOf(text)],
  },
  {
    form: /\b(?:nodes?|machines?|hosts?)\b.*\b(?:down|offline|away|unreachable|lost|trouble|sick)\b/i,
    command: () => ['check', 'nodes'],
  },
  { form: /\bout of memory\b|\boom\b/i, command: (text) => ['tasks', '--status', 'killed_oom', ...narrowed(text)] },
  {
    form: /\b(?:fail(?:ed|ures?|ing|s)?|crash(?:ed|es)?|died|broke)\b/i,
    command: (text) => ['tasks', '--status', failureStatuses.join(','), ...narrowed(text)],
  },
  {
    form: /\bwhat(?:'s| is) (?:running|going on)\b/i,
    command: (text) => ['tasks', '--status', 'running', ...narrowed(text)],
  },
  { form: /\b(?:wrong|incidents?|alerts?|ok(?:ay)?|fine|broken)\b/i, command: () => ['incidents'] },
  { form: /\b(?:nodes|machines|hosts)\b/i, command: () => ['nodes'] },
  { form: /\b(?:tasks|jobs|runs)\b/i, command: (text) => ['tasks', ...narrowed(text)] },
];

/** Without a time it goes on until it is stopped. */
function startOfWatch(text: string): readonly string[] {
  const isOnlyFailed = /\bfail(?:ed|ures?|ing)?\b/i.test(text);
  const alerts = /\b(?:at most|up to|max(?:imum)?) (\d{1,4}) (?:alerts?|messages?)\b/i.exec(text)?.[1];
  return [
    'watch',
    'start',
    ...projectsOf(text).flatMap((project) => ['--project', project]),
    '--for',
    durationAfter(/\bfor/, text) ?? '0',
    ...(isOnlyFailed ? ['--only-failed'] : []),
    ...(alerts === undefined ? [] : ['--max-alerts-per-job', alerts]),
  ];
}

/** `project ml-team`, `projects a, b and c`, `the ml-team project`. */
function projectsOf(text: string): string[] {
  const listed = /\bprojects? ([\w*][\w*?./-]*(?:(?:, and |, | and )[\w*][\w*?./-]*)*)/i.exec(text)?.[1];
  const behind = (listed?.split(/, and |, | and /i) ?? []).filter(isName);
  return behind.length > 0 ? behind : (/([\w*][\w*?./-]*) projects?\b/i.exec(text)?.slice(1) ?? []).filter(isName);
}

function isName(word: string): boolean {
  return !noNames.has(word.toLowerCase());
}

const noNames = new Set([
  'a',
  'all',
  'any',
  'each',
  'every',
  'failures',
  'for',
  'jobs',
  'my',
  'our',
  'that',
  'the',
  'this',
]);

function narrowed(text: string): readonly string[] {
  const [project] = projectsOf(text);
  const node = /\b(?:on|of) (?:node|machine|host) (\w[\w.-]*)/i.exec(text)?.[1];
  const job = /\b(?:of|in) job (\w[\w./-]*)/i.exec(text)?.[1];
  return [
    ...(project === undefined ? [] : ['--project', project]),
    ...(node === undefined ? [] : ['--node', node]),
    ...(job === undefined ? [] : ['--job', job]),
    ...sinceOf(text),
  ];
}

function sinceOf(text: string): readonly string[] {
  const since = durationAfter(/\b(?:last|past|previous)/, text) ?? nearDays.find(({ word }) => word.test(text))?.since;
  return since === undefined ? [] : ['--since', since];
}

const nearDays = [
  { word: /\b(?:today|tonight|overnight|last night)\b/i, since: '24h' },
  { word: /\byesterday\b/i, since: '48h' },
  { word: /\bweekend\b/i, since: '3d' },
  { word: /\bthis week\b/i, since: '7d' },
] as const;

/** `for 30 minutes`, `for the next hour`, `last 2h`, `for half an hour`: as a duration. */
function durationAfter(word: RegExp, text: string): string | undefined {
  const form = new RegExp(
    `${word.source} (?:the )?(?:next |last |following )?(?:(\\d{1,5}|an?|one|two|three|half an?) ?)?(s|m|h|d|seconds?|min(?:ute)?s?|hours?|days?|weeks?)\\b`,
    'i',
  );
  const [, amount = '1', unit] = form.exec(text) ?? [];
  if (unit === undefined) return undefined;
  const letter = unit.charAt(0).toLowerCase() as keyof typeof smaller;
  if (/^half/i.test(amount)) return smaller[letter];
  const count = wordNumbers[amount.toLowerCase()] ?? Number(amount);
  return letter === 'w' ? `${count * 7}d` : `${count}${letter}`;
}

const wordNumbers: Readonly<Record<string, number>> = { a: 1, an: 1, one: 1, two: 2, three: 3 };
const smaller = { s: '500ms', m: '30s', h: '30m', d: '12h', w: '84h' } as const;
