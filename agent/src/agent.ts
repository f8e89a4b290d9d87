import { randomUUID } from 'node:crypto';
import type { NodeDescription, SourceState } from '@runnerwatch/shared/model/node.ts';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import { StopStack } from '@runnerwatch/shared/runtime/stop-stack.ts';
import { version } from '@runnerwatch/shared/runtime/version.ts';
import { authoritiesOf } from './config.ts';
import { createFallback } from './falling-back.ts';
import { createFollowing } from './following.ts';
import { type Ground, layGround } from './ground.ts';
import type { Hearing } from './hearing.ts';
import { Hooks } from './hooks/hooks.ts';
import { openCredential } from './identity.ts';
import { lastWriteIn, openLife } from './life.ts';
import { tellPreviousDeath } from './previous-death.ts';
import { lookAtLimit } from './proc/descriptors.ts';
import { announceAgent } from './run/rendezvous.ts';
import { createInventoryKeeper } from './samplers/inventory.ts';
import { createSampling } from './sampling.ts';
import { startTrimming } from './spare-memory.ts';
import { openSpooling } from './spooling.ts';
import { createUplink } from './uplink/uplink.ts';
import { createNodeWarnings } from './warning.ts';

export interface AgentOptions extends Pick<Ground, 'config' | 'system'> {
  readonly signal: AbortSignal;
}

/**
 * The agent, assembled: watchers → ledger → spool → uplink, samplers → judge → spool, and samples straight to the uplink.
 * Everything starts from the spool up, so that whatever is heard can be written down, and stops in the opposite order.
 */
export async function startAgent({ config, signal, system }: AgentOptions): Promise<AsyncDisposable> {
  lookAtLimit();
  const ground = layGround({ config, system });
  const { folder, node, bootId, clock, log } = ground;
  const parts = new StopStack();
  const lastWroteAt = lastWriteIn(folder);
  const spooling = await openSpooling(ground);
  const { spool, record } = spooling;
  parts.defer(() => spool.close());
  const life = openLife(folder, { bootId, system, lastWroteAt });
  parts.defer(() => life.end());
  record({ kind: 'agent_started', agent_version: version, boot_id: bootId, previous: life.previous.ended });
  const death = tellPreviousDeath({ ...life, tell: (gap) => record({ kind: 'gap', gap }), clock, log });
  parts.defer(() => death.stop());

  const hooks = new Hooks({ hooks: config.hooks, node, system, clock, log: subsystem(log, 'agent:hooks') });
  parts.defer(() => hooks[Symbol.asyncDispose]());
  const following = await createFollowing(ground, { ...spooling, hooks });
  const { ledger, hearing, measuring, logGrewAt } = following;
  const inventory = createInventoryKeeper({
    onChange: () => record({ kind: 'node', node: describe() }),
    log: subsystem(log, 'agent:inventory'),
  });
  const describe = (): NodeDescription => ({
    name: node.name,
    labels: node.labels,
    boot_id: bootId,
    inventory: inventory.current(),
    sources: publicStates(hearing),
  });
  const instanceId = randomUUID();
  const fallback = createFallback(ground, spool);
  const uplink = createUplink({
    spool,
    urls: config.collector_urls,
    credential: openCredential(folder, { token: config.token }),
    ca: authoritiesOf(config),
    hello: () => ({
      ...(fallback === null ? {} : { can_fall_back: true }),
      node_id: node.id,
      agent_version: version,
      instance_id: instanceId,
      node: describe(),
    }),
    hear: (frame) => fallback?.hear(frame),
    heartbeatIntervalMs: config.heartbeat_interval,
    clock,
    log: subsystem(log, 'agent:uplink'),
  });
  const sampling = createSampling(ground, { record, uplink, inventory, ledger, measuring });
  const warnings = createNodeWarnings({ ...ground, hearing, logGrewAt, record });

  parts.defer(() => ledger.stop());
  await hearing.start(signal);
  parts.defer(() => hearing.stop());
  uplink.start();
  parts.defer(() => uplink.stop('stopping'));
  fallback?.start(uplink);
  parts.defer(() => fallback?.[Symbol.asyncDispose]());
  ledger.reconcile();
  await ledger.save();
  sampling.start();
  parts.defer(() => sampling.stop());
  measuring.start(() => ledger.open(), [(tick) => warnings.take(tick)]);
  parts.defer(() => measuring.stop());
  void inventory.refresh();
  const trimming = startTrimming(clock);
  parts.defer(() => trimming.stop());
  const announcement = announce(ground);
  parts.defer(() => announcement?.withdraw());
  const { dataDir } = ground;
  log.info({ node_id: node.id, data_dir: dataDir, collectors: config.collector_urls, version }, 'agent started');
  return parts;
}

function announce({ system, dataDir, uid, log }: Ground): ReturnType<typeof announceAgent> | undefined {
  try {
    return announceAgent({ pid: system.pid, dataDir }, { uid, xdgRuntimeDir: system.env['XDG_RUNTIME_DIR'] });
  } catch (error) {
    log.warn(
      { err: error },
      '"runnerwatch run" will find this agent only where RUNNERWATCH_DATA_DIR names its data_dir',
    );
    return undefined;
  }
}

/** What people are told of the sources: `run` in place of the folder its facts come through. */
function publicStates(hearing: Hearing): SourceState[] {
  return hearing.states().map((state) => (state.name === 'inbox' ? { ...state, name: 'run' } : state));
}
