import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { haveRight, haveTool, isRoot } from './tool.ts';

/** Whether this machine lets us make networks of our own. */
export function canMakeNetworks(): boolean {
  return (
    haveTool('ip', 'Debian: apt-get install iproute2') &&
    haveTool('nsenter', 'Debian: apt-get install util-linux') &&
    haveRight(isRoot, 'rights of root for network namespaces: run the tests as root')
  );
}

/** Listens in its network namespace, hands what it listens on to its parent, and is gone: it must take no connection itself. */
const listener = `
  const server = require('node:net').createServer({ pauseOnConnect: true });
  server.listen(4777, '10.99.2.2', () => process.send('listening', server, () => process.exit()));
`;

/**
 * Three network namespaces, near ── router ── far, joined by veth: real TCP between two ends whose interfaces have an MTU of 1,500.
 * What comes to a port of the far end goes on to a port of this machine. Narrowed, the router drops what is larger than 1,400 bytes, as
 * its own MTU on that side demands, and the ICMP message that would tell the sender is filtered.
 */
export class NarrowWay implements AsyncDisposable {
  /** For programs in the near namespace. */
  readonly url = 'http://10.99.2.2:4777';
  /** A command that becomes what it is given, in the near namespace. */
  readonly enter: readonly string[];
  readonly #near: string;
  readonly #router: string;
  readonly #far: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(name: string) {
    this.#near = `${name}-near`;
    this.#router = `${name}-router`;
    this.#far = `${name}-far`;
    this.enter = inside(this.#near);
  }

  static async open(targetPort: number): Promise<NarrowWay> {
    const way = new NarrowWay(`rw-${process.pid}-${randomInt(1e6)}`);
    try {
      way.#build();
      await way.#listen(targetPort);
      return way;
    } catch (error) {
      await way[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Packets of more than 1,400 bytes on the way to the far end vanish. */
  narrow(): void {
    ip('-n', this.#router, 'link', 'set', 'dev', 'far', 'mtu', '1400');
  }

  widen(): void {
    ip('-n', this.#router, 'link', 'set', 'dev', 'far', 'mtu', '1500');
  }

  /** Packets that were too large for the router since the start. */
  get lostPackets(): number {
    const [enter, ...rest] = [...inside(this.#router), 'cat', '/proc/net/snmp'];
    const [names, values] = execFileSync(enter, rest, { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.startsWith('Ip:'))
      .map((line) => line.split(' '));
    return Number(values?.[names?.indexOf('FragFails') ?? -1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    for (const name of ip('netns', 'list')
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '')
      .filter((known) => [this.#near, this.#router, this.#far].includes(known)))
      ip('netns', 'del', name);
  }

  #build(): void {
    const [near, router, far] = [this.#near, this.#router, this.#far];
    for (const name of [near, router, far]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'dev', 'lo', 'up');
    }
    for (const [end, side, network] of [
      [near, 'near', '10.99.1'],
      [far, 'far', '10.99.2'],
    ] as const) {
      ip('-n', end, 'link', 'add', 'name', 'way', 'type', 'veth', 'peer', 'name', side, 'netns', router);
      ip('-n', end, 'address', 'add', `${network}.2/24`, 'dev', 'way');
      ip('-n', router, 'address', 'add', `${network}.1/24`, 'dev', side);
      ip('-n', end, 'link', 'set', 'dev', 'way', 'up');
      ip('-n', router, 'link', 'set', 'dev', side, 'up');
      ip('-n', end, 'route', 'add', 'default', 'via', `${network}.1`);
    }
    ip('-n', router, 'rule', 'add', 'ipproto', 'icmp', 'blackhole');
    const [enter, ...rest] = [...inside(router), 'sysctl', '-qw', 'net.ipv4.ip_forward=1'];
    execFileSync(enter, rest);
  }

  async #listen(targetPort: number): Promise<void> {
    const [enter, ...rest] = [...inside(this.#far), process.execPath, '-e', listener];
    const child = spawn(enter, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [, server] = (await once(child, 'message')) as [string, Server];
    this.#server = server;
    server.on('connection', (near) => {
      const target = connect(targetPort, '127.0.0.1');
      this.#join(near, target);
      this.#join(target, near);
    });
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.pipe(to);
    // The other side learns of it by its own end.
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

function inside(name: string): readonly [string, string] {
  return ['nsenter', `--net=/run/netns/${name}`];
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}
