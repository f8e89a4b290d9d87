import { type EngineClient, EngineError } from './containers-client.ts';

export interface LogGrowthQuestion {
  readonly client: EngineClient;
  readonly prefix: string;
  readonly containerId: string;
  readonly sinceMs: number;
}

/**
 * When a container last said something since an instant, both in milliseconds since the epoch; null: nothing, or its log
 * cannot be read. The last line alone is asked for, with the engine's time stamp before it (Engine API, "Get container logs").
 */
export async function logGrewAt({ client, prefix, containerId, sinceMs }: LogGrowthQuestion): Promise<number | null> {
  const query = `stdout=1&stderr=1&timestamps=1&tail=1&since=${Math.floor(sinceMs / 1000)}`;
  try {
    return stampOf(await client.getBytes(`${prefix}/containers/${encodeURIComponent(containerId)}/logs?${query}`));
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** Without a terminal eight bytes go before it. Docker writes `…T10:00:00.123456789Z`, Podman `…+00:00`. */
function stampOf(line: Buffer): number | null {
  const [stamp] =
    /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/.exec(line.toString('latin1', 0, 64)) ?? [];
  return stamp === undefined ? null : Date.parse(stamp);
}
