import { runProgram } from '@runnerwatch/shared/runtime/lifecycle.ts';
import { readProgramArguments } from '@runnerwatch/shared/runtime/program-arguments.ts';
import { startCollector } from './collector.ts';
import { defaultConfigFile, readCollectorConfig } from './config.ts';

const help = `Usage: runnerwatch collector [--config FILE]

The server: hears the agents, keeps the state, tells people, serves the page and the API.

  --config FILE   collector.yaml (default ${defaultConfigFile} if there)
  -h, --help
`;

void runProgram(process, {
  name: 'collector',
  start: async (signal) => {
    const { wantsHelp, file } = readProgramArguments(process.argv.slice(2), {
      program: 'collector',
      defaultFile: defaultConfigFile,
    });
    if (wantsHelp) {
      process.stdout.write(help);
      process.exit(0);
    }
    const config = readCollectorConfig({ file, environment: process.env });
    return startCollector({ config, system: process, signal });
  },
});
