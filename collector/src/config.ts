import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { ConfigFault, type ConfigSource, loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import * as z from 'zod/mini';
import { parseServerUrl } from './db/server-url.ts';
import { notificationsConfig } from './routing/config.ts';
import { schedulersConfig } from './schedulers/config.ts';

export const defaultConfigFile = '/etc/runnerwatch/collector.yaml';

/** collector.yaml, as in docs and `runnerwatch init config --host`. Durations arrive as milliseconds, sizes as bytes. */
export const collectorSchema = z.strictObject({
  listen: z._default(
    field.text.check(z.refine(isListenAddress, { error: 'expected host:port, such as 127.0.0.1:4777' })),
    '127.0.0.1:4777',
  ),
  public_url: z.optional(field.httpUrl),
  database: z.prefault(z.strictObject({ url: z.optional(databaseUrl()), url_file: z.optional(field.path) }), {}),
  data_dir: z.optional(field.path),
  heartbeat_timeout: z._default(field.duration, 30_000),
  /** Who watches the watcher: asked once a minute while the collector works. */
  heartbeat_url: z.optional(field.httpUrl),
  heartbeat_url_file: z.optional(field.path),
  heartbeat_token: z.optional(field.text),
  heartbeat_token_file: z.optional(field.path),
  retention: z.prefault(
    z.strictObject({
      samples_raw: z._default(field.duration, 86_400_000),
      tasks: z._default(field.duration, 90 * 86_400_000),
      incidents: z._default(field.duration, 90 * 86_400_000),
      audit: z._default(field.duration, 90 * 86_400_000),
    }),
    {},
  ),
  notifications: notificationsConfig,
  conditions: z.prefault(
    z.strictObject({
      /** So many failures of one service or container within that time are a loop; 0 is off. */
      restart_loop_count: z._default(field.count, 5),
      restart_loop_within: z._default(field.duration, 10 * 60_000),
      /** So many different jobs that fail at once, in a row and within that time, are the fault of their node; 0 is off. */
      node_fails_fast_count: z._default(field.count, 5),
      node_fails_fast_within: z._default(field.duration, 10 * 60_000),
    }),
    {},
  ),
  schedulers: schedulersConfig,
  auth: z.prefault(
    z.strictObject({
      /** Also from this machine: for a proxy here that adds no forwarding header. */
      require_token: z._default(field.boolean, false),
      /** What who comes from this machine without a token may do. */
      local_role: z._default(z.enum(['viewer', 'operator', 'admin']), 'admin'),
    }),
    {},
  ),
  self: z.prefault(
    z.strictObject({
      memory_pressure_bytes: z._default(field.size, 0),
      high_cpu_percent: z._default(field.count, 0),
    }),
    {},
  ),
  log: z.prefault(
    z.strictObject({
      level: z._default(z.enum(['debug', 'info', 'warn', 'error']), 'info'),
      format: z._default(z.enum(['json', 'text']), 'json'),
    }),
    {},
  ),
});

export type CollectorConfig = z.output<typeof collectorSchema>;

/** @throws StartFailure with file, line, key and what was expected. */
export function readCollectorConfig(source: ConfigSource): CollectorConfig {
  return loadConfig(collectorSchema, source, ({ heartbeat_timeout: timeoutMs, heartbeat_url: url }) => {
    if (timeoutMs < 1000)
      throw new ConfigFault('heartbeat_timeout', 'expected at least 1s, or every node would seem lost');
    // One that a file named was not looked at yet.
    if (url !== undefined && !z.safeParse(field.httpUrl, url).success)
      throw new ConfigFault('heartbeat_url', 'expected a URL such as https://hc-ping.com/your-uuid');
  });
}

function isListenAddress(value: string): boolean {
  const [, port] = /^(?:\[[0-9a-f:]+\]|[^:\s]+):(\d{1,5})$/i.exec(value) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

/** What db/server-url.ts can read, told with the key's place. */
function databaseUrl() {
  return field.text.check((context) => {
    try {
      parseServerUrl(context.value);
    } catch (error) {
      const message = (error as Error).message.replace(/^database\.url: /, '');
      context.issues.push({ code: 'custom', message, input: undefined });
    }
  });
}
