import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEntry } from './entry.ts';
import { LogTails, rawField } from './log-tails.ts';

const lines = readFileSync(new URL('../../../../test/fixtures/journal/units.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const invocation = 'b1'.padStart(32, '0');

function line(message: unknown, unit = 'a.service', id = 'a'.padStart(32, '0')): string {
  return JSON.stringify({
    __CURSOR: 's=1',
    __REALTIME_TIMESTAMP: '1',
    MESSAGE: message,
    _SYSTEMD_UNIT: unit,
    _SYSTEMD_INVOCATION_ID: id,
  });
}

describe('the log tail of a run', () => {
  it('shows text, bytes and lines too long, of that run only', () => {
    const tails = new LogTails({ matches: () => true, lines: 100 });
    for (const one of lines) tails.add(one);

    expect(tails.tailOf(invocation)).toEqual([
      'epoch 1',
      '\u001b[31mbad\ufffd\u001b[0m',
      '[a line too long to be shown]',
      'he said "_SYSTEMD_UNIT":"other.service"',
    ]);
    expect(tails.tailOf('other.service')).toBeNull();
  });

  it('keeps the last lines and forgets the run that was silent longest when there are too many', () => {
    const tails = new LogTails({ matches: () => true, lines: 3, maxChars: 2_000 });
    for (let i = 0; i < 5; i += 1) tails.add(line(`line ${i}`));

    expect(tails.tailOf('a'.padStart(32, '0'))).toEqual(['line 2', 'line 3', 'line 4']);
    for (let i = 0; i < 10; i += 1) tails.add(line('x'.repeat(200), 'b.service', 'b'.padStart(32, '0')));
    for (let i = 0; i < 10; i += 1) tails.add(line('x'.repeat(300), 'c.service', 'c'.padStart(32, '0')));
    expect(tails.tailOf('a'.padStart(32, '0'))).toBeNull();
    expect(tails.sizeChars).toBeLessThanOrEqual(2_000);
  });

  it('F037 takes a flood of lines, huge ones too, within its bounds', () => {
    const tails = new LogTails({ matches: (unit) => unit === 'a.service', lines: 100, maxChars: 1024 * 1024 });
    const flood = line('y'.repeat(100));
    const foreign = line('z', 'none-of-ours.service');

    for (let i = 0; i < 100_000; i += 1) tails.add(i % 2 === 0 ? flood : foreign);
    tails.add(line('w'.repeat(1024 * 1024)));

    const tail = tails.tailOf('a'.padStart(32, '0'));
    expect(tail).toHaveLength(100);
    expect(tail?.at(-1)).toBe('[a line too long to be shown]');
    expect(tails.sizeChars).toBeLessThan(100_000);
  });

  it('F116 is one line for each, also of a message that has several', () => {
    const tails = new LogTails({ matches: () => true, lines: 3 });
    tails.add(line('before'));
    tails.add(line('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no'));

    expect(tails.tailOf('a'.padStart(32, '0'))).toEqual([
      'Traceback (most recent call last):',
      '  File "a.py", line 1',
      'ValueError: no',
    ]);
  });

  it('F037 says how many lines the journal did not keep', () => {
    const tails = new LogTails({ matches: (unit) => unit === 'a.service', lines: 3 });
    const id = 'a'.padStart(32, '0');
    tails.add(line('flood'));
    const suppressed = (transport: string, count: number) => ({
      __CURSOR: 's=2',
      __REALTIME_TIMESTAMP: '2',
      MESSAGE: `Suppressed ${count} messages from a.service`,
      MESSAGE_ID: 'a596d6fe7bfa4994828e72309e95d61e',
      _TRANSPORT: transport,
      _SYSTEMD_UNIT: transport === 'driver' ? 'systemd-journald.service' : 'forger.service',
      OBJECT_SYSTEMD_UNIT: 'a.service',
      OBJECT_SYSTEMD_INVOCATION_ID: id,
    });
    tails.add(JSON.stringify(suppressed('driver', 90_000)));
    tails.add(JSON.stringify(suppressed('journal', 5)));

    expect(tails.tailOf(id)).toEqual(['flood', 'Suppressed 90000 messages from a.service']);
  });

  it('forgets a run on request', () => {
    const tails = new LogTails({ matches: () => true, lines: 3 });
    tails.add(line('one'));

    tails.forget('a'.padStart(32, '0'));

    expect(tails.tailOf('a'.padStart(32, '0'))).toBeNull();
    expect(tails.sizeChars).toBe(0);
  });
});

describe('a field read without parsing', () => {
  it('is what parsing would give, whatever the message says', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (message, unit) => {
        const one = line(message, unit);
        expect(rawField(one, '_SYSTEMD_UNIT')).toBe(parseEntry(one)?.field('_SYSTEMD_UNIT'));
      }),
    );
  });

  it('is null when it is not there or no text', () => {
    expect(rawField('{"_PID":1}', '_PID')).toBeNull();
    expect(rawField('', '_PID')).toBeNull();
    expect(rawField('{"_PID" : "1"}', '_PID')).toBe('1');
  });
});
