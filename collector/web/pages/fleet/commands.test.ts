import { expect, it } from 'vitest';
import { joinScript } from './commands.ts';

it('lets nothing in the address out of its word', () => {
  const script = joinScript({ token: 'rwj_abc', address: "https://watch.example.org/'; reboot; '$(id)" });

  expect(script).toContain(
    "printf '%s\\n' 'RUNNERWATCH_COLLECTOR_URLS=https://watch.example.org/'\\''; reboot; '\\''$(id)' ",
  );
});

it('never shows the token to the list of processes of more than a shell’s own command', () => {
  const lines = joinScript({ token: 'rwj_abc', address: 'https://watch.example.org' }).split('\n');

  expect(lines.filter((line) => line.includes('rwj_abc'))).toEqual([
    "printf '%s\\n' 'rwj_abc' | sudo tee /etc/runnerwatch/agent.token >/dev/null",
  ]);
});
