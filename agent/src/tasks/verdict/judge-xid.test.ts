import { describe, expect, it } from 'vitest';
import { severityOfXid, xidOf } from './judge-xid.ts';

describe('an Xid', () => {
  it.each([
    [79, 'hardware', 'critical'],
    [48, 'hardware', 'critical'],
    [95, 'hardware', 'critical'],
    [74, 'hardware', 'critical'],
    [119, 'driver', 'critical'],
    [62, 'driver', 'critical'],
    [94, 'hardware', 'warning'],
    [13, 'application', 'warning'],
    [31, 'application', 'warning'],
    [43, 'application', 'warning'],
    [45, 'notice', 'info'],
    [63, 'notice', 'info'],
    [92, 'notice', 'info'],
    [154, 'notice', 'info'],
    [4242, 'unclassified', 'warning'],
  ])('%i points to %s and is %s', (code, blame, severity) => {
    expect(xidOf(code).blame).toBe(blame);
    expect(severityOfXid(code)).toBe(severity);
  });
});
