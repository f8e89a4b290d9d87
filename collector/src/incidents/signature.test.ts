import { expect, it } from 'vitest';
import { type FailedRun, headlineOf, signatureOf } from './signature.ts';

const run: FailedRun = {
  nodeId: 'n1',
  project: 'vision',
  job: 'train',
  name: 'train-7',
  cause: 'exit_code',
  exitCode: 3,
  signal: null,
  errorMessage: 'CUDA error: out of memory at 0x7f3a on device 2',
};

it('finds failures of one job alike whatever differs from run to run', () => {
  const other = { nodeId: 'n2', name: 'train-8', errorMessage: 'CUDA error: out of memory at 0x91bc on device 5' };
  expect(signatureOf({ ...run, ...other })).toBe(signatureOf(run));
});

it('tells apart jobs, projects, causes, codes, signals and errors', () => {
  const others: Partial<FailedRun>[] = [
    { job: 'eval' },
    { project: null },
    { cause: 'oom_limit' },
    { exitCode: 4 },
    { signal: 'SIGSEGV' },
    { errorMessage: 'no such file' },
  ];
  const signatures = [run, ...others.map((other) => ({ ...run, ...other }))].map(signatureOf);
  expect(new Set(signatures).size).toBe(signatures.length);
});

it('goes by the name of a task that has no job', () => {
  expect(signatureOf({ ...run, job: null })).not.toBe(signatureOf({ ...run, job: null, name: 'train-8' }));
});

it.each([
  [null, ''],
  ['\n\n  Killed  \nmore', 'killed'],
  ['cannot open /scratch/run-17/part-3.bin: 5 tries', 'cannot open part-#.bin: # tries'],
  ['run 3f2b8c1e-0d4a-4b5c-8e9f-001122334455 died', 'run # died'],
])('reads the headline of %j', (message, headline) => {
  expect(headlineOf(message)).toBe(headline);
});
