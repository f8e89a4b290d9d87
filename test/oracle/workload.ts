import type { Truth } from './compare.ts';
import { type Kind, kinds, type Need } from './kinds.ts';

/** One end to come. */
export interface Planned {
  readonly name: string;
  readonly kind: Kind;
  readonly livesMs: number;
}

/** Where the machine keeps the work, and what it writes down of it. */
export const places = { scripts: '/opt/oracle', truth: '/var/lib/oracle' } as const;

export interface PlanOptions {
  readonly ends: number;
  readonly random: () => number;
  readonly has: ReadonlySet<Need>;
}

export function plan({ ends, random, has }: PlanOptions): Planned[] {
  const possible = kinds.filter(({ needs }) => needs === undefined || has.has(needs));
  return Array.from({ length: ends }, (_, index) => {
    const kind = possible[Math.floor(random() * possible.length)] ?? possible[0];
    if (kind === undefined) throw new Error('no kind of end is possible here');
    return { name: `oracle-${index}`, kind, livesMs: 200 + Math.floor(random() * 2300) };
  });
}

/** The scripts that do the work: `begin NAME SECONDS MS KIND`, `inside NAME SECONDS KIND`, and `list` for xargs. */
export function scriptsOf(planned: readonly Planned[]): { begin: string; inside: string; list: string } {
  const { truth } = places;
  const line = ({ name, kind, livesMs }: Planned) => `${name} ${livesMs / 1000} ${livesMs} ${kind.name}`;
  return {
    begin: `${begin}case $KIND in\n${kinds.map(({ name, begin: text }) => `${name}) ${text};;`).join('\n')}\nesac\nwait\n`,
    inside: `N=$1 S=$2 KIND=$3
: >${truth}/began/$N
case $KIND in
${kinds.flatMap(({ name, end }) => (end === undefined ? [`${name}) exec sleep 300;;`] : [])).join('\n')}
esac
sleep $S
: >${truth}/ending/$N
case $KIND in
${kinds.flatMap(({ name, end }) => (end === undefined ? [] : [`${name}) ${end};;`])).join('\n')}
esac
`,
    list: `${planned.map(line).join('\n')}\n`,
  };
}

/** What began is believed to have ended; what did not begin because nobody could start it then is no end. */
const begin = `N=$1 S=$2 MS=$3 KIND=$4
P="sh ${places.scripts}/inside $N $S $KIND"
# Ends it from outside when its time has come, however often that takes; 5 says that the unit is not there any more.
later() {
  for i in $(seq 200); do [ -e ${places.truth}/began/$N ] && break; sleep 0.1; done
  [ -e ${places.truth}/began/$N ] || return
  sleep $S
  : >${places.truth}/ending/$N
  for i in $(seq 100); do "$@"; code=$?; [ $code = 0 ] || [ $code = 5 ] && return; sleep 0.2; done
}
`;

/** Prints when each began and when its end came: `began/NAME SECONDS` and `ending/NAME SECONDS`, since the epoch. */
export const readTruth = `cd ${places.truth} && find began ending -type f -printf '%p %T@\\n'`;

export function truthsFrom(
  text: string,
  { planned, isEveryEndHeard }: { planned: readonly Planned[]; isEveryEndHeard: boolean },
): Truth[] {
  const at = new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([path = '', seconds]) => [path, Number(seconds) * 1000]),
  );
  return planned.flatMap(({ name, kind, livesMs }) => {
    const beganAt = at.get(`began/${name}`);
    if (beganAt === undefined) return [];
    const endedAt = at.get(`ending/${name}`) ?? beganAt + livesMs;
    return [{ name, kind, endedAt, isOnlyLookedAt: kind.isScope && !isEveryEndHeard }];
  });
}
