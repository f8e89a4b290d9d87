import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { OneAtATime, RedirectedOutput } from './redirected-output.ts';

const folder = mkdtempSync(join(tmpdir(), 'redirected-'));
afterAll(() => rmSync(folder, { recursive: true }));
const log = pino({ level: 'silent' });

it('reads the files that were found', async () => {
  const path = join(folder, '7.out');
  writeFileSync(path, 'one\ntwo\n');
  const { dev, ino } = statSync(path, { bigint: true });
  const output = new RedirectedOutput({
    root: '/',
    lines: 1,
    templates: [`${folder}/${'${task_id}'}.out`],
    clock: new ManualClock(),
    log,
  });

  expect(await output.read([{ isStderr: false, path, dev: String(dev), ino: String(ino) }])).toEqual(['two']);
  expect(await output.named('7', Date.now() - 1000)).toEqual([
    { isStderr: false, path, dev: String(dev), ino: String(ino) },
  ]);
  expect(await output.find(2 ** 22 + 1)).toEqual([]);
});

it('asks a file system that hangs once, answers others at once meanwhile, and asks again when it is back', async () => {
  const clock = new ManualClock();
  const gate = new OneAtATime({ clock, log });
  let answer: (text: string) => void = () => {};
  let asked = 0;
  const question = () => {
    asked += 1;
    return new Promise<string>((resolve) => {
      answer = resolve;
    });
  };
  const first = gate.ask(question);
  const second = gate.ask(question);
  await clock.advance(3000);

  expect([await first, await second, await gate.ask(question), asked]).toEqual([null, null, null, 1]);
  answer('late');
  await eventually(() => asked === 2);
  answer('nobody waits for this');
  await eventually(async () => {
    const third = gate.ask(async () => 'here again');
    return (await third) === 'here again';
  });
});
