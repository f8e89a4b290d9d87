import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const templateName = 'embedded-template.tar.gz';

/**
 * Unpacks the files of an empty database, which the build made for this engine, into a folder: a twentieth of the work of
 * making them anew. False: there is no such archive beside us (in a checkout's sources), or it could not be unpacked (no
 * tar), and what lies in the folder then is of no use.
 */
export async function unpackTemplate(folder: string, baseUrl = import.meta.url): Promise<boolean> {
  const template = fileURLToPath(new URL(`./${templateName}`, baseUrl));
  if (!existsSync(template)) return false;
  const tar = spawn('tar', ['-xzf', template, '-C', folder], { stdio: 'ignore' });
  return new Promise((resolve) => {
    tar.once('error', () => resolve(false));
    tar.once('close', (code) => resolve(code === 0));
  });
}
