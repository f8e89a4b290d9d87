import { fileURLToPath } from 'node:url';
import { mustSucceed, runCommand } from './run-command.ts';

const suites = ['bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

export interface NodeImage {
  readonly folder: string;
  readonly disk: string;
  readonly rootFolder: string;
  readonly sshKey: string;
}

const BUILD_TIMEOUT_MS = 15 * 60_000;

export function realNodeScript(name: string): string {
  return fileURLToPath(new URL(`../../../scripts/real-node/${name}`, import.meta.url));
}

/** The Debian that the whole run is about: RUNNERWATCH_TEST_SUITE. */
function suiteUnderTest(): Suite {
  const asked = process.env['RUNNERWATCH_TEST_SUITE'] ?? 'bookworm';
  const suite = suites.find((one) => one === asked);
  if (suite === undefined) throw new Error(`RUNNERWATCH_TEST_SUITE: expected ${suites.join(' or ')}`);
  return suite;
}

/** Builds the image when this machine does not have it yet (about two minutes), otherwise only finds it. */
export async function realNodeImage(suite: Suite = suiteUnderTest()): Promise<NodeImage> {
  const built = await mustSucceed(
    runCommand(realNodeScript('build-image.sh'), [suite], { timeoutMs: BUILD_TIMEOUT_MS }),
    'building the real-node image',
  );
  const folder = built.stdout.trim();
  return { folder, disk: `${folder}/disk.img`, rootFolder: `${folder}/root`, sshKey: `${folder}/id_ed25519` };
}
