import type { Mount } from '../proc/mountinfo.ts';

/** A mounted file system that keeps data somewhere. */
export interface Disk {
  readonly mount: string;
  readonly device: string;
  readonly fstype: string;
  /** Asking it may wait for another machine, or for another process. */
  readonly isRemote: boolean;
}

/** Without a block device of their own, yet on one: their super block has an anonymous number (major 0). */
const LOCAL_WITHOUT_DEVICE = new Set(['btrfs', 'bcachefs', 'zfs']);
const REMOTE = new Set([
  '9p',
  'afs',
  'beegfs',
  'ceph',
  'cifs',
  'fuse.ceph',
  'fuse.glusterfs',
  'fuse.juicefs',
  'fuseblk',
  'gfs2',
  'glusterfs',
  'gpfs',
  'lustre',
  'nfs',
  'nfs4',
  'ocfs2',
  'pvfs2',
  'smb3',
  'smbfs',
  'vboxsf',
  'virtiofs',
]);
/** Images that are full by nature. */
const READ_ONLY_IMAGES = new Set(['cramfs', 'erofs', 'iso9660', 'romfs', 'squashfs', 'udf']);

/**
 * The disks among the mounts: one entry for each file system however often it is mounted, at its whole and shortest
 * place. A stack of layers (overlay) counts only as the root of what we see, where there is nothing else to tell.
 */
export function realDisks(mounts: readonly Mount[]): Disk[] {
  const visible = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
  const byDevice = new Map<string, Mount>();
  for (const mount of visible.values()) {
    if (!isDisk(mount)) continue;
    const before = byDevice.get(mount.deviceNumber);
    if (before === undefined || isBetterPlace(mount, before)) byDevice.set(mount.deviceNumber, mount);
  }
  return [...byDevice.values()].map(({ mountPoint, source, fstype }) => ({
    mount: mountPoint,
    device: source,
    fstype,
    isRemote: REMOTE.has(fstype),
  }));
}

function isDisk({ deviceNumber, fstype, mountPoint }: Mount): boolean {
  if (READ_ONLY_IMAGES.has(fstype)) return false;
  if (REMOTE.has(fstype) || LOCAL_WITHOUT_DEVICE.has(fstype)) return true;
  return !deviceNumber.startsWith('0:') || (fstype === 'overlay' && mountPoint === '/');
}

function isBetterPlace(candidate: Mount, current: Mount): boolean {
  const [isWhole, wasWhole] = [candidate.fsRoot === '/', current.fsRoot === '/'];
  if (isWhole !== wasWhole) return isWhole;
  return candidate.mountPoint.length < current.mountPoint.length;
}
