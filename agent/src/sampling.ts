import { join } from 'node:path';
import { subsystem } from '@runnerwatch/shared/runtime/logging.ts';
import { conditionSettings } from './config.ts';
import type { Following } from './following.ts';
import type { Ground } from './ground.ts';
import { createSamplers } from './samplers/catalogue.ts';
import { firingFile } from './samplers/firing-file.ts';
import type { InventoryKeeper } from './samplers/inventory.ts';
import { Judge } from './samplers/judge.ts';
import { createScheduler, type Scheduler } from './samplers/scheduler.ts';
import type { RecordEvent } from './spooling.ts';
import type { Uplink } from './uplink/uplink.ts';

export interface SamplingParts extends Pick<Following, 'ledger' | 'measuring'> {
  readonly record: RecordEvent;
  readonly uplink: Uplink;
  readonly inventory: InventoryKeeper;
}

/** The node's gauges, on a tick: shown live, judged, and handed to whoever goes by them. */
export function createSampling(ground: Ground, parts: SamplingParts): Scheduler {
  const { config, system, folder, clock } = ground;
  const { record, uplink, inventory, ledger, measuring } = parts;
  const log = subsystem(ground.log, 'agent:samplers');
  const settings = conditionSettings(config);
  const firing = firingFile(join(folder, 'firing.json'), log);
  const judge = new Judge(settings, firing.load());
  const samplers = createSamplers({
    root: '/',
    processMatches: settings.processRules.map(({ match }) => match),
    ownProcess: system,
  });
  return createScheduler({
    clock,
    intervalMs: config.sample_interval,
    samplers,
    onSample: (reading, now) => {
      uplink.sendSample(reading.sample);
      const changed = judge.take(reading, now);
      for (const report of changed) record({ kind: 'condition', report });
      if (changed.length > 0) firing.save(judge.firing());
      inventory.observe(reading.sample);
      measuring.setSample(reading);
      ledger.tick();
    },
    log,
  });
}
