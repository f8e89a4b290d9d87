import * as z from 'zod/mini';
import { event, lane } from '../model/event.ts';
import { instant } from '../model/instant.ts';
import { nodeDescription } from '../model/node.ts';
import { nodeSample } from '../model/sample.ts';

/*
 * One WebSocket text message is one frame, a JSON object told apart by `kind`.
 *
 *   agent                            collector
 *   hello ───────────────────────▶
 *         ◀─────────────────────── welcome (or refused, then close)
 *   batch (per lane) ────────────▶
 *         ◀─────────────────────── ack (per lane, after the commit)
 *   sample, heartbeat, ping ─────▶
 *         ◀─────────────────────── pong
 *         ◀─────────────────────── deputy (to those that said they can fall back, after the welcome and when it changes)
 *   fallback ────────────────────▶ (what was told while the collector was silent)
 *         ◀─────────────────────── all_clear
 *   goodbye ─────────────────────▶  close
 *
 * Facts go by `batch` and are numbered, kept and acknowledged; a `sample` is live and may be lost.
 */

const seq = z.int().check(z.gte(0));
const positions = z.object({ ends: seq, facts: seq });

export const hello = z.object({
  kind: z.literal('hello'),
  protocol: z.object({ min: z.int(), max: z.int() }),
  /** Made once by the agent and kept in its data directory; it is the node's id. */
  node_id: z.string().check(z.regex(/^[0-9a-f-]{36}$/)),
  agent_version: z.string(),
  /** Made anew at every start of the agent: two that are alive at once are two agents with one identity. */
  instance_id: z.optional(z.string().check(z.regex(/^[0-9a-f-]{36}$/))),
  /** This spool's life: sequence numbers mean something only together with it. */
  stream_id: z.string().check(z.regex(/^[0-9a-f-]{36}$/)),
  /** Highest number written per lane; 0 when empty. */
  last: positions,
  /** Lowest number still held per lane (also acknowledged ones, kept for a restored collector). */
  oldest: positions,
  heartbeat_interval_ms: z.int().check(z.gte(1)),
  at: instant,
  node: nodeDescription,
  /** It can tell people by itself when the collector is silent. Absent from agents that have not heard of that. */
  can_fall_back: z.optional(z.boolean()),
});

export const batch = z.object({
  kind: z.literal('batch'),
  lane,
  /** Ascending numbers. A jump is explained by a gap event of the same lane, which carries the last missing number. */
  events: z.array(event).check(z.minLength(1)),
});

export const sample = z.object({ kind: z.literal('sample'), sample: nodeSample });

export const heartbeat = z.object({
  kind: z.literal('heartbeat'),
  at: instant,
  /** Bytes and records not yet acknowledged, and what has been evicted since the agent started. */
  spool: z.object({
    pending_records: z.int(),
    bytes: z.number(),
    evicted_records: z.int(),
    durable: z.boolean(),
  }),
});

export const ping = z.object({ kind: z.literal('ping'), id: z.int(), at: instant });
export const goodbye = z.object({
  kind: z.literal('goodbye'),
  reason: z.enum(['stopping', 'rebooting', 'upgrading']),
});

const outageKey = z.string().check(z.maxLength(100));

/** What a deputy told by itself: that the collector is silent (`fired`), that it is back (`resolved`). Said until it is answered. */
export const fallback = z.object({
  kind: z.literal('fallback'),
  key: outageKey,
  transition: z.enum(['fired', 'resolved']),
});

export const welcome = z.object({
  kind: z.literal('welcome'),
  protocol: z.int(),
  collector_id: z.string(),
  /** Highest number committed per lane for this stream: send what comes after. */
  committed: positions,
  at: instant,
});
export const ack = z.object({ kind: z.literal('ack'), lane, seq });
export const pong = z.object({ kind: z.literal('pong'), id: z.int(), at: instant });
/** Whether this agent is to speak up when the collector is silent. */
export const deputy = z.object({
  kind: z.literal('deputy'),
  /** Null: it is not. All deputies have one key, which is that of one outage, and a rank of their own, 0 the first to speak. */
  place: z.nullable(z.object({ key: outageKey, rank: z.int().check(z.gte(0)) })),
  /** What the collector fails to do although it is there, as a sentence; null while it works. */
  obstacle: z.nullable(z.string()),
});
/** Who tells that the outage of this key is over. `nobody`: it has been told. */
export const allClear = z.object({
  kind: z.literal('all_clear'),
  key: outageKey,
  teller: z.enum(['you', 'other', 'nobody']),
});
export const refused = z.object({ kind: z.literal('refused'), code: z.string(), message: z.string() });

export const agentFrame = z.discriminatedUnion('kind', [hello, batch, sample, heartbeat, ping, fallback, goodbye]);
export const collectorFrame = z.discriminatedUnion('kind', [welcome, ack, pong, deputy, allClear, refused]);

export type AgentFrame = z.infer<typeof agentFrame>;
export type CollectorFrame = z.infer<typeof collectorFrame>;
export type Hello = z.infer<typeof hello>;
export type Welcome = z.infer<typeof welcome>;
export type LanePositions = z.infer<typeof positions>;
export type FallbackFrame = z.infer<typeof fallback>;
export type DeputyFrame = z.infer<typeof deputy>;
export type AllClearFrame = z.infer<typeof allClear>;
