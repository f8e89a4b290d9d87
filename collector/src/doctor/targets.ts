import { readFileSync } from 'node:fs';
import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import * as z from 'zod/mini';
import { createAddressGuard } from '../notifiers/address-guard.ts';
import { resolveHost } from './resolve.ts';

export interface TargetsExamination {
  /** Of the collector that runs here. */
  readonly url: string;
  readonly tokenFile: string;
  readonly allowedCidrs: readonly string[];
}

const timeoutMs = 5_000;
const answer = z.object({
  items: z.array(z.object({ id: z.string(), name: z.string(), target: z.nullable(z.string()), active: z.boolean() })),
});

/** Whether the webhooks that people typed may be dialled: their names resolve, to addresses that are public or opened. */
export async function examineTargets({ url, tokenFile, allowedCidrs }: TargetsExamination): Promise<Finding[]> {
  const check = 'targets';
  const token = readToken(tokenFile);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const said = await fetch(`${url}/api/v1/subscriptions`, { headers, signal: AbortSignal.timeout(timeoutMs) })
    .then(async (response) => (response.ok ? answer.safeParse(await response.json()).data : undefined))
    .catch(() => undefined);
  if (said === undefined) {
    const says = 'the addresses that people subscribed with were not looked at: the collector does not show them';
    return [{ check, result: 'skipped', says, fix: `run this as a user who may read ${tokenFile}` }];
  }
  const guard = createAddressGuard(allowedCidrs);
  const webhooks = said.items.flatMap(({ id, name, target, active }) =>
    active && target !== null && URL.canParse(target) ? [{ id, name, url: new URL(target) }] : [],
  );
  const findings = await Promise.all(
    webhooks.map(async ({ id, name, url: target }): Promise<Finding[]> => {
      const resolved = await resolveHost(target);
      const problem =
        'problem' in resolved
          ? resolved.problem
          : resolved.addresses.every(guard)
            ? null
            : `${target.hostname} is not public, so it is not dialled`;
      if (problem === null) return [];
      const fix =
        'problem' in resolved
          ? `mend the name server of this machine, or "runnerwatch unsubscribe ${id}"`
          : `open its network in notifications.allowed_cidrs, or "runnerwatch unsubscribe ${id}"`;
      return [{ check, result: 'warning', says: `subscription ${name}: ${problem}`, fix }];
    }),
  );
  const problems = findings.flat();
  if (problems.length > 0 || webhooks.length === 0) return problems;
  return [{ check, result: 'ok', says: `${webhooks.length} of people's own may be dialled`, fix: null }];
}

function readToken(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
