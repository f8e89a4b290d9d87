import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { realNodeScript } from './image.ts';
import { isRunning, spawnOwned } from './owned-process.ts';

export interface QemuOptions {
  readonly imageFolder: string;
  readonly disk: string;
  readonly sshPort: number;
  readonly consoleLog: string;
  readonly memoryMiB: number;
  readonly kernelArguments: readonly string[];
}

export function startQemu(options: QemuOptions): ChildProcess {
  const { imageFolder, disk, sshPort, consoleLog, memoryMiB, kernelArguments } = options;
  return spawnOwned(
    realNodeScript('start-qemu.sh'),
    [imageFolder, disk, 'qcow2', String(sshPort), consoleLog, String(memoryMiB), ...kernelArguments],
    ['ignore', 'inherit', 'inherit'],
  );
}

/** Aborts when the machine's process ends: a kernel panic, a power-off, a bad argument. */
export function endedSignal(qemu: ChildProcess): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('the machine ended while it was booting'));
  if (isRunning(qemu)) qemu.once('exit', abort);
  else abort();
  return controller.signal;
}

export async function consoleTail(consoleLog: string, lines = 40): Promise<string> {
  const text = await readFile(consoleLog, 'utf8').catch(() => '(no console output)');
  return text.split('\n').slice(-lines).join('\n');
}
