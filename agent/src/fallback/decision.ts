import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { AllClearFrame } from '@runnerwatch/shared/protocol/frames.ts';
import type { Cause, FallbackState } from './state.ts';

/** How it stands with the collector. */
export type Contact =
  | { readonly kind: 'working' }
  /** It answers, and does not want this agent: revoked, removed, a stranger. Whatever is wrong, it is not dead. */
  | { readonly kind: 'unwanted' }
  /** It is there and says that it does not work. */
  | { readonly kind: 'hindered'; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly reason: string | null };

export type Step =
  | { readonly kind: 'rest'; readonly why: 'in_contact' | 'unwanted' | 'no_deputy' | 'too_early' | 'told' }
  /** Post that the collector is silent; again if that was begun before. */
  | { readonly kind: 'tell'; readonly key: string; readonly rank: number; readonly cause: Cause }
  /** Nothing of it came through, and the collector is back. */
  | { readonly kind: 'forget' }
  /** Say to the collector what was told. */
  | { readonly kind: 'report'; readonly key: string; readonly transition: 'fired' | 'resolved' }
  /** Post that it is back. */
  | { readonly kind: 'clear' };

/** Each further rank waits so much longer: a minute, less where people are told soon. */
export function stepMs(afterMs: number): number {
  return Math.min(60_000, afterMs / 5);
}

/**
 * What a deputy does now.
 *
 *   in contact ── alone for `after` + rank steps ──▶ tell ──▶ told ── collector is back ──▶ report ── "you" ──▶ clear ──▶ report
 *
 * Whoever has told does not tell again before the all-clear of that outage, however often the collector comes and goes meanwhile.
 */
export function decide(state: FallbackState, contact: Contact, { afterMs }: { readonly afterMs: number }): Step {
  const { place, told, aloneMs } = state;
  if (contact.kind === 'unwanted') return { kind: 'rest', why: 'unwanted' };
  if (contact.kind === 'working') {
    if (told === null) return { kind: 'rest', why: 'in_contact' };
    if (told.arrived === 'no') return { kind: 'forget' };
    if (told.end === 'ours') return { kind: 'clear' };
    return { kind: 'report', key: told.key, transition: told.end === 'told' ? 'resolved' : 'fired' };
  }
  if (told !== null) {
    const { key, rank, cause, arrived } = told;
    return arrived === 'yes' ? { kind: 'rest', why: 'told' } : { kind: 'tell', key, rank, cause };
  }
  if (place === null) return { kind: 'rest', why: 'no_deputy' };
  if (aloneMs < afterMs + place.rank * stepMs(afterMs)) return { kind: 'rest', why: 'too_early' };
  return { kind: 'tell', ...place, cause: { kind: contact.kind, reason: contact.reason } };
}

/** Time goes by. `elapsedMs`: what of it this agent was awake for. */
export function pass(
  state: FallbackState,
  { contact, elapsedMs, nowMs }: { readonly contact: Contact; readonly elapsedMs: number; readonly nowMs: number },
): FallbackState {
  if (contact.kind === 'working' || contact.kind === 'unwanted')
    return { ...state, aloneMs: 0, aloneSince: null, contactAt: toInstant(nowMs) };
  return {
    ...state,
    aloneMs: state.aloneMs + elapsedMs,
    aloneSince: state.aloneSince ?? toInstant(nowMs - elapsedMs),
  };
}

/** The collector's answer to a report. */
export function answered(state: FallbackState, { key, teller }: AllClearFrame): FallbackState {
  const { told } = state;
  if (told?.key !== key) return state;
  if (teller === 'nobody') return { ...state, told: null };
  return teller === 'you' && told.end === 'open' ? { ...state, told: { ...told, end: 'ours' } } : state;
}

/** No longer than a collector waits for a deputy that went away before it names another. */
const namedForMs = 2 * 60_000;

/**
 * What a new life takes over. A place that its collector may have given to another meanwhile is given up, unless the outage had
 * begun before: then the collector could not.
 */
export function wake(state: FallbackState, nowMs: number): FallbackState {
  if (state.aloneSince !== null || state.told !== null || state.contactAt === null) return state;
  const isRecent = Math.abs(nowMs - Date.parse(state.contactAt)) < namedForMs;
  return isRecent ? state : { ...state, place: null };
}
