const prefix = '/org/freedesktop/systemd1/unit/';

/**
 * The unit an object path names: `/org/freedesktop/systemd1/unit/t1_2escope` is `t1.scope`; null for other paths.
 * Bytes outside A–Z, a–z, 0–9 are `_` and two hex digits (sd_bus_path_encode(3)).
 */
export function unitOfPath(path: string): string | null {
  if (!path.startsWith(prefix)) return null;
  const label = path.slice(prefix.length);
  if (!label.includes('_')) return label;
  const bytes: number[] = [];
  for (let i = 0; i < label.length; i += 1) {
    const hex = label[i] === '_' ? label.slice(i + 1, i + 3) : '';
    if (/^[0-9a-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(label.charCodeAt(i));
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** The object path of a unit, the opposite of {@link unitOfPath}. */
export function pathOfUnit(unit: string): string {
  const label = [...Buffer.from(unit)].map((byte, index) => {
    const char = String.fromCharCode(byte);
    const plain = /[A-Za-z]/.test(char) || (index > 0 && /[0-9]/.test(char));
    return plain ? char : `_${byte.toString(16).padStart(2, '0')}`;
  });
  return prefix + label.join('');
}
