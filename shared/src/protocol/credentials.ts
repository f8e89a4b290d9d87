/*
 * What an agent shows at the collector's door, as `Authorization: Bearer …`. All are 256 random bits in base64url; what they
 * begin with says what they are, to people who mix them up and to the agent, which treats them differently.
 *
 *   rwa_  the collector's own token, the same for all agents: admits whoever holds it
 *   rwj_  a join token, made by a person for so many nodes and for so long. It is good for coming in the first time, with the key
 *         that the agent made for itself in the header below
 *   rwk_  that key, from then on
 */
export const sharedTokenPrefix = 'rwa_';
export const joinTokenPrefix = 'rwj_';
export const agentKeyPrefix = 'rwk_';

/** Beside a join token: the key that the agent will come with from then on. */
export const agentKeyHeader = 'runnerwatch-agent-key';

/** The code of the refusal after which an agent may show its join token again: the collector has never heard of its key. */
export const unknownKeyCode = 'unknown_key';
