import { parseArgs } from 'node:util';
import { runProgram } from '@runnerwatch/shared/runtime/lifecycle.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { startCollector } from './collector.ts';
import { defaultConfigFile, readCollectorConfig } from './config.ts';

const help = `Usage: runnerwatch collector [--config FILE]

The server: hears the agents, keeps the state, tells people, serves the page and the API.

  --config FILE   collector.yaml (default ${defaultConfigFile} if there)
  -h, --help
`;

await runProgram(process, {
  name: 'collector',
  start: async () => {
    const config = readCollectorConfig({ ...configFile(), environment: process.env });
    return startCollector({ config, system: process });
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
    throw new StartFailure('usage', `${(error as Error).message.split('\n')[0]}; see "runnerwatch collector --help"`, {
      cause: error,
    });
  }
}
