import { readKernelFile } from './kernel-file.ts';

/** Name and number of the distribution, `Debian GNU/Linux 12` (os-release(5)); null where it does not say. */
export function readDistribution(root: string): string | null {
  const text = readKernelFile(root, '/etc/os-release') ?? readKernelFile(root, '/usr/lib/os-release');
  return text === null ? null : parseDistribution(text);
}

export function parseDistribution(text: string): string | null {
  const name = valueOf(text, 'NAME');
  const number = valueOf(text, 'VERSION_ID');
  return [name, number].filter((part) => part !== null && part !== '').join(' ') || null;
}

/** As a shell would assign it; the escapes that are allowed stand before one character. */
function valueOf(text: string, key: string): string | null {
  const match = new RegExp(`^${key}=(?:"([^\\n]*)"|'([^\\n]*)'|([^\\n]*))$`, 'm').exec(text);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  return value === undefined ? null : value.replaceAll(/\\(.)/g, '$1').trim();
}
