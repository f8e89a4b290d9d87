// Adds up vitest's JSON reports into the closing line of CI, and fails when anything failed or was skipped: `sum-reports.mjs STATUS REPORT…`
import { readFileSync } from 'node:fs';

const [status, ...reports] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const report of reports) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  for (const suite of result.testResults) {
    if (suite.status === 'failed' && suite.assertionResults.length === 0) failed += 1;
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') continue;
      if (test.status !== 'failed') failed += 1;
      process.stdout.write(`${test.status}: ${test.fullName} (${suite.name})\n`);
    }
  }
}
if (reports.length < 2) failed += 1;
if (status !== '0' && failed === 0) failed = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
