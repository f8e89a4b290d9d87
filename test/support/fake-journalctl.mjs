#!/usr/bin/env node
// Behaves as journalctl does on a journal that is one file of JSON lines:
//   fake-journalctl.mjs FILE [--output=… --output-fields=… --no-pager --quiet] [--boot] [--lines=N] [--cursor=C | --after-cursor=C | --since=@S] [--follow] [MATCH [MATCH] … [+ MATCH …] …]
// FILE.mode, when there: `hang` follows and says nothing (FILE.hangs is there from then on), `fail` ends at once with its second line as complaint, `fail late` after half a second.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const [file, ...args] = process.argv.slice(2);
const option = (name) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const matches = args
  .filter((arg) => !arg.startsWith('--'))
  .join(' ')
  .split(' + ')
  .map((group) => group.split(' ').map((match) => match.split('=')));
const isFollowing = args.includes('--follow');
const [mode, complaint = ''] = existsSync(`${file}.mode`) ? readFileSync(`${file}.mode`, 'utf8').split('\n') : [''];

function die(text) {
  process.stderr.write(`${text}\n`, () => process.exit(1));
}

function parts(cursor) {
  const found = new Map(cursor.split(';').map((part) => part.split('=')));
  return {
    s: found.get('s'),
    i: Number.parseInt(found.get('i') ?? '', 16),
    t: Number.parseInt(found.get('t') ?? '', 16),
  };
}

function entries() {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ line, fields: JSON.parse(line) }));
}

function isMatch({ fields }) {
  return matches.some((group) => group.every(([name, value]) => name === '' || fields[name] === value));
}

/** Where to begin: nearest to the cursor, as sd_journal_seek_cursor(3) does when the entry itself is gone. */
function begin(all) {
  const exact = option('cursor');
  const after = option('after-cursor');
  const since = option('since');
  if (since !== undefined)
    return all.filter(({ fields }) => Number(fields.__REALTIME_TIMESTAMP) >= Number(since.slice(1)) * 1e6);
  if (exact === undefined && after === undefined) return all;
  const at = parts(exact ?? after);
  return all.filter(({ fields }) => {
    if (fields.__CURSOR === after) return false;
    const here = parts(fields.__CURSOR);
    return here.s === at.s ? here.i >= at.i : here.t >= at.t;
  });
}

function main() {
  if (mode === 'fail') return die(complaint);
  if (mode === 'fail late') return setTimeout(() => die(complaint), 500);
  const cursor = option('cursor') ?? option('after-cursor');
  if (cursor !== undefined && Number.isNaN(parts(cursor).i)) return die('Failed to seek to cursor: Invalid argument');
  const lines = option('lines');
  let chosen = begin(entries()).filter(isMatch);
  if (lines !== undefined && cursor === undefined) chosen = lines === '0' ? [] : chosen.slice(-Number(lines));
  else if (lines !== undefined) chosen = chosen.slice(0, Number(lines));
  if (isFollowing && mode === 'hang') {
    writeFileSync(`${file}.hangs`, '');
    return setInterval(() => {}, 1_000);
  }
  let seen = entries().length;
  process.stdout.write(chosen.map(({ line }) => `${line}\n`).join(''));
  if (!isFollowing) return;
  setInterval(() => {
    const all = entries();
    const fresh = all.slice(seen).filter(isMatch);
    seen = all.length;
    process.stdout.write(fresh.map(({ line }) => `${line}\n`).join(''));
  }, 5);
}

main();
