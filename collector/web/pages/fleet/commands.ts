/**
 * What to paste into a shell of a new node. The environment goes before agent.yaml, so that nothing has to be edited; the token is
 * in a file that root alone can read.
 */
export function joinScript({ token, address }: { token: string; address: string }): string {
  const folder = '/etc/runnerwatch';
  const environment = [`RUNNERWATCH_COLLECTOR_URLS=${address}`, `RUNNERWATCH_TOKEN_FILE=${folder}/agent.token`];
  return [
    `sudo mkdir -p ${folder}`,
    `sudo install -m 600 /dev/null ${folder}/agent.token`,
    `printf '%s\\n' ${quote(token)} | sudo tee ${folder}/agent.token >/dev/null`,
    `printf '%s\\n' ${environment.map(quote).join(' ')} | sudo tee ${folder}/agent.env`,
    `sudo npx runnerwatch init config --runner --output-dir ${folder}`,
    'sudo npx runnerwatch init service --runner --output-dir /etc/systemd/system',
    'sudo systemctl daemon-reload',
    'sudo systemctl enable --now runnerwatch-agent.service',
  ].join('\n');
}

/** One word for a POSIX shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
