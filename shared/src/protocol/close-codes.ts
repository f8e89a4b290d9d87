/**
 * Why a conversation was closed (RFC 6455 section 7.4: 4000–4999 are private use), and whether coming back helps.
 * `retry`: come back with back-off. `later`: come back at the longest back-off, a person must act first.
 */
export const closeCodes = {
  goodbye: { code: 1000, retry: 'retry', meaning: 'the session ended as agreed' },
  goingAway: { code: 1001, retry: 'retry', meaning: 'the collector is stopping' },
  protocolError: { code: 1002, retry: 'later', meaning: 'a frame broke the protocol' },
  invalidData: { code: 1007, retry: 'later', meaning: 'a frame was not valid' },
  tooBig: { code: 1009, retry: 'later', meaning: 'a frame was larger than allowed' },
  internalError: { code: 1011, retry: 'retry', meaning: 'the collector failed while handling a frame' },
  tryAgainLater: { code: 1013, retry: 'retry', meaning: 'the database is not reachable' },
  helloTimeout: { code: 4000, retry: 'retry', meaning: 'no hello came in time' },
  silent: { code: 4001, retry: 'retry', meaning: 'nothing was heard for too long' },
  replaced: { code: 4002, retry: 'retry', meaning: 'a newer session of the same agent took over' },
  unauthorized: { code: 4003, retry: 'later', meaning: 'the token does not admit this agent' },
  versionMismatch: { code: 4004, retry: 'later', meaning: 'no protocol version in common' },
  revoked: { code: 4006, retry: 'later', meaning: 'this agent was revoked' },
  duplicate: { code: 4007, retry: 'later', meaning: 'another agent speaks for this node' },
  tooMuch: { code: 4008, retry: 'later', meaning: 'the agent sent more than its budget for too long' },
  tooSlow: { code: 4005, retry: 'retry', meaning: 'the peer did not read what was sent to it' },
} as const satisfies Record<string, { code: number; retry: 'retry' | 'later'; meaning: string }>;

export type CloseReason = keyof typeof closeCodes;
