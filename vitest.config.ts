import { env } from 'node:process';
import { defineConfig } from 'vitest/config';

/*
 * unit: beside the source. integration: real sockets, databases, processes, on this machine.
 * real-node: virtual machines with systemd and Docker (npm run test:node).
 */
export default defineConfig({
  test: {
    globalSetup: 'test/support/announce-missing.ts',
    // CI adds up what it reads there.
    ...(env['RUNNERWATCH_TEST_REPORT'] === undefined
      ? {}
      : { reporters: ['default', 'json'], outputFile: { json: env['RUNNERWATCH_TEST_REPORT'] } }),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{agent,collector,shared,scripts,test/oracle}/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{contract,integration,end-to-end,web}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Most of their time they wait for others. Projects that differ in this run one after the other.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'real-node',
          include: ['test/real-node/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
