import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  describeFailure,
  hasRoomFor,
  isOutOfDescriptors,
  lookAtLimit,
  openFilesLimit,
  parseOpenFilesLimit,
  sparing,
  sparingLater,
} from './descriptors.ts';

const held = () => readdirSync('/proc/self/fd').length;
const emfile = () => Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });

describe('F012 the descriptors of this process', () => {
  it('are counted by the soft limit', () => {
    const text = readFileSync('/proc/self/limits', 'utf8');

    expect(parseOpenFilesLimit(text)).toBeGreaterThan(0);
    expect(
      parseOpenFilesLimit('Max open files            unlimited            unlimited            files\n'),
    ).toBeNull();
  });

  it('leave room for the work below the limit', () => {
    lookAtLimit();
    const limit = openFilesLimit() ?? Number.POSITIVE_INFINITY;

    expect([hasRoomFor(limit - 65), hasRoomFor(limit - 64)]).toEqual([true, false]);
  });

  it('have a spare one for what may not fail, taken back afterwards', async () => {
    lookAtLimit();
    const before = held();
    let heldThen = 0;
    const failsOnce = () => {
      let hasFailed = false;
      return () => {
        if (hasFailed) {
          heldThen = held();
          return 'read';
        }
        hasFailed = true;
        throw emfile();
      };
    };

    expect(sparing(failsOnce())).toBe('read');
    expect([heldThen, held()]).toEqual([before - 1, before]);
    const work = failsOnce();
    expect(await sparingLater(async () => work())).toBe('read');
    expect(heldThen).toBe(before - 1);
    lookAtLimit();
    expect(held()).toBe(before);
  });

  it('are not given for other failures, and not for ever', () => {
    lookAtLimit();
    const before = held();
    const fails = (error: Error) => () => {
      throw error;
    };

    expect(() => sparing(fails(new Error('another')))).toThrow('another');
    expect(() => sparing(fails(emfile()))).toThrow('EMFILE');
    expect(held()).toBe(before);
  });

  it('are named, with the cure, when they run out', () => {
    lookAtLimit();

    expect(isOutOfDescriptors(emfile())).toBe(true);
    expect(describeFailure(emfile())).toBe(
      `out of file descriptors (${openFilesLimit()}): raise LimitNOFILE= of the agent's unit, or ulimit -n`,
    );
    expect(describeFailure(new Error('something else'))).toBe('something else');
  });
});
