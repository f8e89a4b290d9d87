import { isPath, isRandomValue } from './entropy.ts';

/*
 * Secrets that only their name gives away: `DB_PASSWORD=…`, `"apiKey": "…"`, `token: …`, `--client-secret …`. The value may
 * be anything, so what decides is the name, how it is joined to the value, and whether the value can be a secret at all.
 */

/** @returns the text with the values replaced by `mark(kind)`. */
export function redactAssignments(text: string, mark: (kind: string) => string): string {
  const pieces: string[] = [];
  let done = 0;
  for (const match of text.matchAll(nameAndJoint)) {
    const [whole, name = '', joint = ''] = match;
    const start = match.index + whole.length;
    const kind = start < done ? null : kindOf(name);
    if (kind === null) continue;
    const value = valueAt(text, start, joint);
    if (!isSecret(kind, value)) continue;
    pieces.push(text.slice(done, value.start), mark(kind === 'random' ? 'key' : kind));
    done = value.start + value.text.length;
  }
  return pieces.length === 0 ? text : pieces.join('') + text.slice(done);
}

/** `random`: the name alone does not make it a secret; the value must look drawn by lot. */
type Kind = 'password' | 'secret' | 'token' | 'key' | 'random';

/** A name, and what joins it to its value: `=`, `: `, `=>`, `:=`, `": "`, `'] = `, a flag's blank, two words of a list. */
const nameAndJoint =
  /(?<![\w.-])(-{0,2}[A-Za-z_][\w.-]{0,120})(\\?["']?\]?[ \t]{0,20}(?:=>|:=|={1,2}|:(?![:/]))[ \t]{0,20}|(?<=--[\w.-]{1,120})(?:["'],?)?[ \t]{1,20}(?!-))/g;

interface Value {
  readonly text: string;
  readonly start: number;
  readonly isQuoted: boolean;
  /** It may as well be the next word of a sentence: `password: must be longer`. */
  readonly isProse: boolean;
}

function valueAt(text: string, at: number, joint: string): Value {
  openQuote.lastIndex = at;
  const quote = openQuote.exec(text);
  if (quote !== null) {
    const start = at + quote[0].length;
    const closing = quote[1] === '"' ? closingDouble : closingSingle;
    closing.lastIndex = start;
    return { text: closing.exec(text)?.[0] ?? '', start, isQuoted: true, isProse: false };
  }
  bareValue.lastIndex = at;
  const [bare = ''] = bareValue.exec(text) ?? [];
  const value = bare.replace(trailing, '');
  const isProse = joint.trim() === ':' && /^[ \t]+[A-Za-z]/.test(text.slice(at + bare.length, at + bare.length + 8));
  return { text: value, start: at, isQuoted: false, isProse };
}

const openQuote = /[bruf]?\\?(["'])/y;
const closingDouble = /[^"\n\\]{0,4000}(?:\\[^"\n][^"\n\\]{0,4000}){0,50}/y;
const closingSingle = /[^'\n\\]{0,4000}(?:\\[^'\n][^'\n\\]{0,4000}){0,50}/y;
const bareValue = /[^\s"'&;]{0,4000}/y;
/** What ends a bare value without being of it: `f(token=abc)`, `token=abc, …`. */
const trailing = /[,.:)\]}>\\]{1,20}$/;

/** `X-Api-Key`, `apiKey` and `API_KEY` are one name. */
function kindOf(written: string): Kind | null {
  if (!anySecret.test(written)) return null;
  const name = written
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[.-]/g, '_')
    .replace(/_(?:value|prod|production|dev|test|staging|old|new|b64|base64|\d{1,2})$|\d{1,2}$/, '');
  if (harmless.test(name)) return null;
  return kinds.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
}

const anySecret = /pass|pwd|secret|cred|token|key|jwt|auth|sig|salt|session|dsn/i;
/** Tokens of a language model, keys that open nothing, and the shell's own $PWD. */
const harmless =
  /^(?:old_?)?pwd$|(?:^|_)(?:pad|eos|bos|unk|sep|cls|mask|special|image|start|end|stop|first|last|num|max|min|per|prompt|completion|input|output|unexpected|draft)_tokens?$|(?:cache|public|primary|foreign|sort|partition|routing|group|idempotency|object|s3|dict|state_dict|host|missing|unexpected|index|row|hot)_?keys?$/;
const kinds: readonly (readonly [Kind, RegExp])[] = [
  ['password', /(?:password|passwd|passphrase|(?:^|_)pwd|_pass|_pw|sshpass)s?$/],
  [
    'key',
    /(?:api|access|auth|private|secret|encryption|signing|account|storage|license|master|service|ssh|client|app|shared|deploy)_?keys?$/,
  ],
  ['token', /(?:^|_)tokens?$|(?:api|access|auth|refresh|session|bearer|bot|id|csrf)tokens?$|(?:^|_)jwt$/],
  ['secret', /(?:^|_|client|app|shared)secrets?(?:_key_base)?$|(?:^|_)(?:credentials?|creds)$/],
  ['random', /(?:^|_)(?:key|auth|sig|signature|session|session_id|salt|dsn)$/],
];

function isSecret(kind: Kind, { text, isQuoted, isProse }: Value): boolean {
  if (text === '' || placeholder.test(text)) return false;
  const isWord = /^[a-z]+$/i.test(text);
  switch (kind) {
    case 'random':
      return isRandomValue(text);
    case 'token':
    case 'key':
      if (text.length < 6 || /^[\d.,]{1,12}$/.test(text) || /\s/.test(text) || isPath(text)) return false;
      return kind === 'key' ? !isProse || !isWord : /\d/.test(text) || text.length >= 16;
    case 'password':
    case 'secret':
      return isQuoted || !isProse || !isWord;
  }
}

/** A variable, a wildcard, a type, or what stands where a secret was taken out: by us, or by somebody before. */
const placeholder =
  /^(?:\[redacted: .*|true|false|null|none|nil|undefined|yes|no|required|optional|empty|unset|missing|invalid|str|string|text|bytes|redacted|hidden|\*+|[xX.•]{3,}|<.*|\$\{?\w+\}?|\$\(.*|\{.*|%\w+%?|\(.*|\[.*)$/i;
