import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('F064 lets so many work at a time, the others in the order they came, and goes on after a failure', async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  const works = [0, 1, 2, 3].map((index) =>
    turns.take(async () => {
      begun.push(index);
      await new Promise<void>((resolve) => finish.push(resolve));
      if (index === 0) throw new Error('fails');
    }),
  );
  const failed = expect(works[0]).rejects.toThrow('fails');

  expect(begun).toEqual([0, 1]);
  finish[0]?.();
  await failed;
  expect(begun).toEqual([0, 1, 2]);
  finish[1]?.();
  await works[1];
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const done of finish) done();
  await Promise.all(works.slice(2));
});
