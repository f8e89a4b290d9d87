import { instant } from '@runnerwatch/shared/model/instant.ts';
import * as z from 'zod/mini';

/*
 * What `runnerwatch run` leaves in the agent's inbox: one file when the command began, one when it ended. The end repeats
 * the beginning, so that it is whole when the first could not be written. Anybody may write here: nothing is believed
 * before it passed these schemas.
 */
const text = (length: number) => z.string().check(z.maxLength(length));
const pid = z.int().check(z.gte(1), z.lte(2 ** 31));
const ticks = z.nullable(z.number().check(z.gte(0)));
const amount = z.nullable(z.number().check(z.gte(0)));
/** Part of a file's name, so no separators. */
export const runId = z.string().check(z.regex(/^[0-9a-zA-Z-]{8,64}$/));

const begun = z.object({
  name: z.nullable(text(1024)),
  job: z.nullable(text(1024)),
  project: z.nullable(text(1024)),
  owner: z.nullable(text(1024)),
  command: text(8192),
  /** Of the command; of the wrapper when it could not be started. */
  pid,
  start_ticks: ticks,
  cgroup: z.nullable(text(4096)),
  timeout_ms: amount,
  started_at: instant,
});

const ended = z.object({
  wait_status: z.nullable(z.int().check(z.gte(0), z.lte(0xffff))),
  timed_out: z.boolean(),
  start_error: z.nullable(text(4096)),
  cpu_ms: amount,
  memory_peak_bytes: amount,
  at: instant,
  log_tail: z.nullable(z.array(text(8192)).check(z.maxLength(1000))),
});

export const factFile = z.object({
  version: z.literal(1),
  run_id: runId,
  boot_id: z.nullable(text(64)),
  wrapper_pid: pid,
  wrapper_start_ticks: ticks,
  begun,
  /** Null in the file of the beginning. */
  ended: z.nullable(ended),
});
export type FactFile = z.infer<typeof factFile>;
export type BegunFacts = FactFile['begun'];
export type EndedFacts = NonNullable<FactFile['ended']>;

export const MAX_FACT_BYTES = 256 * 1024;
