import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { haveTool } from '../../../test/support/tool.ts';
import { initCommands } from './commands.ts';

let folder: string;
let printed: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'init-'));
  printed = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

const init = (...args: string[]) => {
  const here = {
    node: '/usr/bin/node',
    programs: '/opt/runnerwatch/dist',
    user: 'root',
    path: '/usr/bin:/bin',
    cwd: folder,
    print: (text: string) => {
      printed += text;
    },
    fail: (sentence: string): never => {
      throw new Error(sentence);
    },
  };
  initCommands(here).parse(['service', ...args], { from: 'user' });
};
const written = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n');

describe('init service', () => {
  it('R31 R33 R34 R36 writes the units it is asked for, and says what to type next', () => {
    init('--all', '--host-config', '/srv/c.yaml', '--runner-config', '/srv/a.yaml');

    const collector = written('runnerwatch-collector.service');
    expect(collector).toEqual(
      expect.arrayContaining([
        'After=network.target',
        'Type=simple',
        'User=root',
        'Group=root',
        'WorkingDirectory=/var/lib/runnerwatch',
        'ExecStart=/usr/bin/node /opt/runnerwatch/dist/collector.mjs --config /srv/c.yaml',
        'Environment=PATH=/usr/bin:/bin',
        'WantedBy=multi-user.target',
      ]),
    );
    expect(written('runnerwatch-agent.service').join('\n')).toMatch(
      /^ExecStart=.*agent\.cjs --config \/srv\/a\.yaml$/m,
    );
    expect(printed).toContain('sudo systemctl daemon-reload');
    expect(printed).toContain('journalctl -u runnerwatch-collector.service -f');
  });

  it('R41 gives a second one on a node its own name, state and configuration', () => {
    init('--all', '--instance', 'b');

    for (const program of ['agent', 'collector']) {
      const unit = written(`runnerwatch-${program}-b.service`).join('\n');
      expect(unit).toContain(`--config /etc/runnerwatch/${program}-b.yaml`);
      expect(unit).toContain('Environment=RUNNERWATCH_DATA_DIR=/var/lib/runnerwatch-b');
    }
  });

  it('R43 makes the socket where the configuration says that the collector listens', () => {
    writeFileSync(join(folder, 'c.yaml'), 'listen: 10.1.2.3:8000\nheartbeat_timeout: 1m\n');

    init('--host', '--socket', '--config', 'c.yaml');

    expect(written('runnerwatch-collector.socket')).toEqual(
      expect.arrayContaining(['ListenStream=10.1.2.3:8000', 'Accept=no', 'WantedBy=sockets.target']),
    );
    expect(written('runnerwatch-collector.service')).toContain('Requires=runnerwatch-collector.socket');
    expect(() => init('--host', '--socket', '--config', '/etc/hostname/c.yaml')).toThrow('cannot read');
  });

  it('R52 starts a unit of the user when it fails, and takes nothing that is no unit', () => {
    init('--all', '--on-failure', 'email-admin@%n.service');

    expect(written('runnerwatch-agent.service')).toContain('OnFailure=email-admin@%n.service');
    expect(written('runnerwatch-collector.service')).toContain('OnFailure=email-admin@%n.service');
    expect(() => init('--host', '--on-failure', 'a.service\nExecStart=/bin/sh')).toThrow('not a list of units');
  });

  const hasAnalyze = haveTool('systemd-analyze', 'Debian: apt-get install systemd');
  it.skipIf(!hasAnalyze).each([
    ['collector', 4],
    ['agent', 8.5],
  ])(
    'F127 R54 writes a unit of the %s that systemd-analyze holds for exposed by at most %f of 10',
    (program, limit) => {
      init('--all');

      const offline = ['security', '--offline=yes', '--no-pager', join(folder, `runnerwatch-${program}.service`)];
      const verdict = execFileSync('systemd-analyze', offline, { encoding: 'utf8', stdio: 'pipe' });
      const level = Number(/exposure level .*: ([\d.]+)/.exec(verdict)?.[1]);

      expect(level).toBeLessThanOrEqual(limit);
    },
  );
});
