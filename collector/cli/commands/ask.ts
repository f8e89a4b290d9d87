import type { Command } from 'commander';
import { understand } from '../ask/understand.ts';
import type { Context } from '../context.ts';
import { CliFailure } from '../failure.ts';

/** `ask SENTENCE`: plain English for those who do not know the command. It is shown, then done. */
export function addAskCommand(program: Command, context: Context): void {
  program
    .command('ask')
    .argument('<words...>', 'a sentence, with or without quotes')
    .description('say it in plain English: the command for it is shown, then done')
    .option('--dry-run', 'only show the command')
    .addHelpText(
      'after',
      `
Examples:
  runnerwatch ask monitor all jobs for 30 minutes
  runnerwatch ask "what is the monitoring status?"
  runnerwatch ask what failed in project ml-team today
  runnerwatch ask --dry-run which node fails most
`,
    )
    .action(async (words: string[], { dryRun }: { dryRun?: boolean }) => {
      const sentence = words.join(' ');
      const args = understand(sentence);
      if (args === undefined)
        throw new CliFailure('usage', `"${sentence}" was not understood; \`runnerwatch ask --help\` has examples`);
      context.printError(`$ runnerwatch ${args.join(' ')}\n`);
      if (dryRun === true) return;
      const { url } = program.opts<{ url?: string }>();
      await program.parseAsync([...(url === undefined ? [] : ['--url', url]), ...args], { from: 'user' });
    });
}
