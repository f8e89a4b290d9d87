import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AlertRig } from '../support/alert-rig.ts';
import { type Action, deaths, moods, nodeIds, receivers, World } from '../support/alerting-world.ts';
import { TestDatabase } from '../support/database.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

/*
 * Engine and outbox against a model of what people are promised (test/support/told-model.ts): random facts, receivers in random
 * trouble, collectors that end and die at random. RUNNERWATCH_SEED repeats a run, RUNNERWATCH_MODEL_RUNS makes more of them.
 */
const runs = Number(process.env['RUNNERWATCH_MODEL_RUNS'] ?? 12);
const seed = Number(process.env['RUNNERWATCH_SEED'] ?? Date.now() % 1_000_000);
/** On a machine with much else to do fewer runs are made. */
const runMs = 2500;

const node = fc.constantFrom(...nodeIds);
const minutes = fc.integer({ min: 1, max: 60 });
const weighted: readonly (readonly [number, fc.Arbitrary<Action>])[] = [
  [
    6,
    fc.record({
      kind: fc.constant('condition'),
      node,
      subject: fc.constantFrom('/a', '/b'),
      status: fc.constantFrom('true', 'true', 'false', 'unknown'),
    }),
  ],
  [
    4,
    fc.record({
      kind: fc.constant('task'),
      node,
      job: fc.constantFrom('train', null),
      status: fc.constantFrom('failed', 'timed_out', 'completed', 'running'),
    }),
  ],
  [2, fc.record({ kind: fc.constantFrom('silent', 'heard'), node })],
  [1, fc.record({ kind: fc.constant('acknowledge'), minutes })],
  [2, fc.record({ kind: fc.constant('silence'), node, minutes })],
  [4, fc.record({ kind: fc.constantFrom('judge', 'judge', 'restart', 'end-silences') })],
  [
    3,
    fc.record({
      kind: fc.constant('mood'),
      receiver: fc.constantFrom(...receivers),
      mood: fc.constantFrom('well', ...moods),
    }),
  ],
  [6, fc.record({ kind: fc.constant('pass'), seconds: fc.constantFrom(1, 5, 40, 200, 1200) })],
  [
    2,
    fc.record({ kind: fc.constant('doom'), death: fc.constantFrom(...deaths), after: fc.integer({ min: 0, max: 3 }) }),
  ],
];
const actions = fc.array(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
  minLength: 5,
  maxLength: 80,
  size: 'max',
});

describeOnDatabases('what people are promised', (kind) => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
  });
  afterAll(async () => opened[Symbol.asyncDispose]());

  it(
    'F065 F079 F097 F099 holds whatever facts come, receivers do and collectors die of',
    async () => {
      process.stdout.write(`alerting model: RUNNERWATCH_SEED=${seed}\n`);
      await fc.assert(
        fc.asyncProperty(actions, async (plan) => {
          const world = new World(new AlertRig(opened));
          await world.begin();
          for (const action of plan) await world.act(action);
          await world.rest();

          expect(world.model.violations).toEqual([]);
        }),
        { seed, numRuns: runs, interruptAfterTimeLimit: runs * runMs },
      );
    },
    Math.max(120_000, 4 * runs * runMs),
  );
});
