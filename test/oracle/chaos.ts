import type { CommandResult } from '../support/real-node/run-command.ts';
import type { Need } from './kinds.ts';

/** What chaos may do, and to whom. */
export interface Victims {
  /** On the node. */
  exec(command: string): Promise<CommandResult>;
  killCollector(downMs: number): Promise<void>;
  /** Ends the database server as if by power; null where it is embedded in the collector. */
  readonly killDatabase: (() => Promise<void>) | null;
  pass(durationMs: number): Promise<void>;
}

/** One blow, by this machine's clock. */
export interface Blow {
  readonly victim: string;
  readonly from: number;
  /** When it fell. */
  readonly at: number;
  readonly to: number;
}

interface Weapon {
  readonly victim: string;
  readonly needs?: Need;
  readonly weight: number;
  /** May say when it fell, in milliseconds since the epoch. */
  strike(victims: Victims, random: () => number): Promise<unknown>;
}

/** By systemd, which knows whom it means: a pid that is 0 for the moment would be everybody here. */
const agent = (signal: string) => `systemctl kill --kill-who=main -s ${signal} runnerwatch-agent.service`;

const weapons: readonly Weapon[] = [
  {
    victim: 'agent',
    weight: 6,
    strike: async ({ exec }, random) => {
      const deadS = random() < 0.5 ? 0 : random() * 3;
      // `start` would do nothing while systemd has not noticed the death.
      const { stdout } = await exec(
        `${agent('KILL')}; date +%s%3N; sleep ${deadS.toFixed(2)}; systemctl restart runnerwatch-agent.service`,
      );
      return Number(stdout);
    },
  },
  {
    victim: 'agent-frozen',
    weight: 2,
    strike: ({ exec }, random) => exec(`${agent('STOP')}; sleep ${(1 + random() * 3).toFixed(2)}; ${agent('CONT')}`),
  },
  { victim: 'collector', weight: 4, strike: ({ killCollector }, random) => killCollector(random() * 2000) },
  { victim: 'database', weight: 3, strike: ({ killDatabase }) => killDatabase?.() ?? Promise.resolve() },
  {
    victim: 'bus',
    weight: 2,
    strike: ({ exec }) => exec('systemctl kill -s KILL dbus.service; systemctl restart dbus'),
  },
  {
    victim: 'journalctl',
    weight: 2,
    strike: ({ exec }) =>
      exec(
        'P=$(systemctl show -p MainPID --value runnerwatch-agent.service); [ "$P" -gt 1 ] && pgrep -P $P journalctl | xargs -r kill -KILL',
      ),
  },
  { victim: 'journald', weight: 1, strike: ({ exec }) => exec('systemctl kill -s KILL systemd-journald.service') },
  { victim: 'reload', weight: 1, strike: ({ exec }) => exec('systemctl daemon-reload') },
  { victim: 'reexec', weight: 1, strike: ({ exec }) => exec('systemctl daemon-reexec') },
  {
    victim: 'docker',
    needs: 'docker',
    weight: 2,
    strike: ({ exec }) =>
      exec('systemctl kill -s KILL docker.service; systemctl reset-failed docker; systemctl restart docker'),
  },
  {
    // Its containers live on without it, and whoever asks next starts it.
    victim: 'podman',
    needs: 'podman',
    weight: 1,
    strike: ({ exec }) => exec('systemctl kill -s KILL podman.service'),
  },
];

export interface ChaosOptions {
  readonly victims: Victims;
  readonly kills: number;
  readonly random: () => number;
  readonly has: ReadonlySet<Need>;
  /** Between two blows, on average. */
  readonly pauseMs: number;
}

/** Strikes so many times, one blow after the other, each victim up again before the next. @returns what was done, when. */
export async function wreak({ victims, kills, random, has, pauseMs }: ChaosOptions): Promise<Blow[]> {
  const possible = weapons.filter(
    ({ victim, needs }) =>
      (needs === undefined || has.has(needs)) && (victim !== 'database' || victims.killDatabase !== null),
  );
  const blows: Blow[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    await victims.pass(pauseMs * (0.4 + random() * 1.2));
    const weapon = pick(possible, random());
    const from = Date.now();
    const at = await weapon.strike(victims, random);
    blows.push({ victim: weapon.victim, from, at: typeof at === 'number' ? at : from, to: Date.now() });
  }
  return blows;
}

function pick(possible: readonly Weapon[], chance: number): Weapon {
  let left = chance * possible.reduce((sum, { weight }) => sum + weight, 0);
  for (const weapon of possible) {
    left -= weapon.weight;
    if (left < 0) return weapon;
  }
  throw new Error('no weapon');
}
