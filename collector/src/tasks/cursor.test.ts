import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { jobId, parseJobId } from './jobs.ts';

describe('the cursor of a task listing', () => {
  it('comes back as it was', () => {
    const endedAt = fc.option(fc.date({ noInvalidDate: true }));
    fc.assert(
      fc.property(endedAt, fc.string(), (at, id) => {
        expect(decodeCursor(encodeCursor({ endedAt: at, id }))).toEqual({ endedAt: at, id });
      }),
    );
  });

  it('is undefined for any other text, which never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeCursor(text)));
    for (const text of [
      '',
      'W10',
      Buffer.from('["x",1]').toString('base64url'),
      Buffer.from('[1e99,"a"]').toString('base64url'),
    ]) {
      expect(decodeCursor(text)).toBeUndefined();
    }
  });
});

describe('the id of a job', () => {
  it('is exact, whatever is in project and name', () => {
    fc.assert(
      fc.property(fc.option(fc.string()), fc.string(), (project, name) => {
        expect(parseJobId(jobId({ project, name }))).toEqual({ project, name });
      }),
    );
  });

  it('is told from a name, which never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseJobId(`j_${text}`)));
    expect(parseJobId('project/name')).toBeUndefined();
  });
});
