import { type LookupAddress, type LookupAllOptions, lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Whether an address may be dialled for a target that a person typed. */
export type AddressGuard = (address: string) => boolean;

/** `dns.lookup`, as far as it is used here. */
export type ResolveName = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The address that would have been dialled lies in a network that is closed. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** IANA IPv4 Special-Purpose Address Registry, multicast (RFC 5771) and the reserved class E: not public, or nobody's. */
const closedIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/**
 * IANA IPv6 Special-Purpose Address Registry: everything outside global unicast (2000::/3), among it IPv4 in other clothes
 * (::ffff:0:0/96, 64:ff9b::/96); inside it what is not public, or carries an IPv4 address (2001::/32, 2002::/16).
 */
const closedIpv6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Public addresses, and those of the networks that the configuration opens. */
export function createAddressGuard(allowedCidrs: readonly string[]): AddressGuard {
  const closed = listsOf([...closedIpv4, ...closedIpv6]);
  const open = listsOf(allowedCidrs);
  return (address) => {
    // An address with a zone is local by its nature.
    if (isIP(address) === 0 || address.includes('%')) return false;
    return isIn(open, address) || !isIn(closed, address);
  };
}

/**
 * A lookup for sockets that gives only addresses which may be dialled. Node dials what this answers and asks no second time, so
 * a name cannot mean something else by then. A name with one closed address is refused whole.
 */
export function guardedLookup(guard: AddressGuard, resolve: ResolveName = resolveName): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, []);
      if (!addresses.every(({ address }) => guard(address))) return done(new ForbiddenAddress(), []);
      if (options.all === true) return done(null, addresses);
      const [first] = addresses;
      if (first === undefined) return done(new ForbiddenAddress(), []);
      done(null, first.address, first.family);
    });
  };
}

/** An address that stands in the URL itself is dialled without a lookup. URL has brought its decimal and octal forms into one. */
export function isForbiddenLiteral({ hostname }: URL, guard: AddressGuard): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) !== 0 && !guard(host);
}

/** Apart, because one list would also compare an IPv4 address with IPv6 networks. */
interface Lists {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

function listsOf(cidrs: readonly string[]): Lists {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const [network = '', bits] = cidr.split('/');
    const type = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    lists[type].addSubnet(network, Number(bits), type);
  }
  return lists;
}

/** The list of IPv4 also knows an IPv4 address in IPv6 notation. */
function isIn({ ipv4, ipv6 }: Lists, address: string): boolean {
  return isIP(address) === 4 ? ipv4.check(address, 'ipv4') : ipv4.check(address, 'ipv6') || ipv6.check(address, 'ipv6');
}
