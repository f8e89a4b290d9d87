// Adds up vitest's JSON reports into the closing line of CI, and fails when anything failed, was skipped or is not there: `sum-reports.mjs STATUS REPORT…`
import { readFileSync } from 'node:fs';

const [status, ...reports] = process.argv.slice(2);
let passed = 0;
let failed = 0;

function fail(what) {
  failed += 1;
  process.stdout.write(`${what}\n`);
}

/** Enough of what went wrong to go on with when the whole output is not at hand: a counterexample stands in the first lines. */
function beginningOf(messages = []) {
  return messages.flatMap((message) => message.split('\n').slice(0, 25)).map((line) => line.slice(0, 1000));
}

for (const path of reports) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    fail(`no report: ${error.message}`);
    continue;
  }
  if (report.testResults.length === 0) fail(`no test: ${path}`);
  for (const suite of report.testResults) {
    // A file whose tests could not even be gathered, for want of a tool for example.
    if (suite.status === 'failed' && suite.assertionResults.length === 0)
      fail(`failed: ${suite.name}: ${suite.message}`);
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else
        fail([`${test.status}: ${test.fullName} (${suite.name})`, ...beginningOf(test.failureMessages)].join('\n    '));
    }
  }
}
if (reports.length === 0) fail('no report was named');
// A check that is no test, or an error outside every test.
if (status !== '0' && failed === 0) fail('a step before this one failed');
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
