import { afterAll, beforeAll, beforeEach } from 'vitest';
import { AlertRig } from './alert-rig.ts';
import { type DatabaseKind, TestDatabase } from './database.ts';

/** A rig on a database of these tests' own, empty before each of them. */
export function ownRig(kind: DatabaseKind = 'embedded'): AlertRig {
  let opened: TestDatabase | undefined;
  const rig = new AlertRig({
    get database() {
      if (opened === undefined) throw new Error('none of these tests runs');
      return opened.database;
    },
  });
  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());
  beforeEach(() => rig.clear());
  return rig;
}
