import { runProgram } from '@runnerwatch/shared/runtime/lifecycle.ts';
import { readProgramArguments } from '@runnerwatch/shared/runtime/program-arguments.ts';
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
    const { wantsHelp, file } = readProgramArguments(process.argv.slice(2), {
      program: 'agent',
      defaultFile: defaultConfigFile,
    });
    if (wantsHelp) {
      process.stdout.write(help);
      process.exit(0);
    }
    const config = readAgentConfig({ file, environment: process.env });
    return startAgent({ config, signal, system: process });
  },
});
