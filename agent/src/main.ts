import { parseArgs } from 'node:util';
import { runProgram } from '@runnerwatch/shared/runtime/lifecycle.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { startAgent } from './agent.ts';
import { defaultConfigFile, readAgentConfig } from './config.ts';

const help = `Usage: runnerwatch agent [--config FILE]

The daemon on a node: measures it, hears what ends on it, and tells the collector.

  --config FILE   agent.yaml (default ${defaultConfigFile} if there)
  -h, --help
`;

void runProgram(process, {
  name: 'agent',
  start: async (signal) => {
    const config = readAgentConfig({ ...configFile(), environment: process.env });
    return startAgent({ config, signal, system: process });
  },
});

function configFile(): { file: { path: string; required: boolean } } {
  try {
    const { values } = parseArgs({
      options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    return { file: { path: values.config ?? defaultConfigFile, required: values.config !== undefined } };
  } catch (error) {
    throw new StartFailure('usage', `${(error as Error).message.split('\n')[0]}; see "runnerwatch agent --help"`, {
      cause: error,
    });
  }
}
