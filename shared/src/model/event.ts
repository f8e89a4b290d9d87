import * as z from 'zod/mini';
import { conditionReport } from './condition.ts';
import { instant } from './instant.ts';
import { nodeDescription, sourceState } from './node.ts';
import { taskRecording } from './recording.ts';
import { taskEnding, taskIdentity } from './task.ts';

/**
 * Where an event waits in its agent's spool. Lanes are numbered apart, sent side by side and evicted in reverse order:
 * `ends` is given up last, and a backlog of `facts` never delays an end.
 */
export const lane = z.enum(['ends', 'facts']);
export type Lane = z.infer<typeof lane>;
export const lanes: readonly Lane[] = ['ends', 'facts'];

/** What was not seen or not kept: always said, never silent. */
export const gap = z.object({
  /** Who could not see: `systemd`, `docker`, `process-exits`, `journal`, `spool`. */
  source: z.string(),
  cause: z.string(),
  /** Exactly how many are missing; null when only `at_most` is known, or nothing. */
  lost: z.nullable(z.int()),
  at_most: z.nullable(z.int()),
  from: z.nullable(instant),
  to: z.nullable(instant),
  /** For the spool: the numbers that will never come. */
  lane: z.nullable(lane),
  from_seq: z.nullable(z.int()),
  to_seq: z.nullable(z.int()),
});
export type Gap = z.infer<typeof gap>;

/** A fact that happened once, as its agent writes it down. */
export const eventBody = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('task_started'), task: taskIdentity }),
  z.object({
    kind: z.literal('task_ended'),
    task: taskIdentity,
    ending: taskEnding,
    /**
     * Oldest first, at most `tasks.log_lines`; null when there is no log to read or it was shed. What came over stderr begins
     * with `stderr: ` where the two streams can be told apart: under `run`, in containers without a terminal, in files.
     */
    log_tail: z.nullable(z.array(z.string())),
    /** What in there says why it failed: a traceback, a panic, an error. Absent where nothing does. */
    error_excerpt: z.optional(z.nullable(z.array(z.string()))),
  }),
  /** After a failed end. */
  z.object({ kind: z.literal('task_recording'), task_id: z.string(), recording: taskRecording }),
  z.object({ kind: z.literal('condition'), report: conditionReport }),
  z.object({ kind: z.literal('gap'), gap }),
  z.object({ kind: z.literal('source'), source: sourceState }),
  z.object({ kind: z.literal('node'), node: nodeDescription }),
  z.object({
    kind: z.literal('agent_started'),
    agent_version: z.string(),
    boot_id: z.nullable(z.string()),
    /** How the agent's run before this one ended. */
    previous: z.enum(['none', 'clean', 'killed', 'rebooted']),
  }),
]);
export type EventBody = z.infer<typeof eventBody>;
export type EventKind = EventBody['kind'];

/** An event with its number in its lane. `at` is the node's clock; order is by `seq` alone. */
export const event = z.object({ seq: z.int().check(z.gte(1)), at: instant, body: eventBody });
export type Event = z.infer<typeof event>;

/** The lane an event belongs to. */
export function laneOf(body: EventBody): Lane {
  return body.kind === 'task_ended' || body.kind === 'gap' ? 'ends' : 'facts';
}
