import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAgentConfig } from '../../agent/src/config.ts';
import { agentTemplate, collectorTemplate } from '../../collector/cli/init/config-templates.ts';
import { readCollectorConfig } from '../../collector/src/config.ts';
import { notifierSettings } from '../../collector/src/notifiers/settings.ts';
import { checkTemplates } from '../../collector/src/notifiers/template.ts';
import { notifiersOf } from '../../collector/src/routing/config.ts';

function fileOf(content: string): { path: string; required: boolean } {
  const folder = mkdtempSync(join(tmpdir(), 'template-'));
  const path = join(folder, 'config.yaml');
  // Secrets and authorities that the examples name lie elsewhere here.
  writeFileSync(join(folder, 'secret'), 'c2VjcmV0');
  writeFileSync(path, content.replaceAll(/\/etc\/runnerwatch\/[\w.]+/g, join(folder, 'secret')));
  return { path, required: true };
}

/** With the examples taken as written: `#:` away, and an empty list or map before them too. */
function withExamples(template: string): string {
  return template
    .replaceAll(/^( *)(\w+): (\[\]|\{\})\n(?= *#:)/gm, '$1$2:\n')
    .replaceAll(/^( *)#: /gm, '$1')
    .replace(/^ {2}url: postgres.*\n/m, '');
}

describe('the configuration files that `init config` writes', () => {
  it('are valid as they are, and say the defaults', () => {
    const agent = readAgentConfig({ file: fileOf(agentTemplate), environment: {} });
    const collector = readCollectorConfig({ file: fileOf(collectorTemplate), environment: {} });

    expect(agent).toEqual(readAgentConfig({ file: undefined, environment: {} }));
    const { notifications, ...rest } = collector;
    const { notifications: defaults, ...others } = readCollectorConfig({ file: undefined, environment: {} });
    expect(rest).toEqual(others);
    expect({ ...notifications, notifiers: {} }).toEqual(defaults);
  });

  it('are valid with every example in them taken', () => {
    const agent = readAgentConfig({ file: fileOf(withExamples(agentTemplate)), environment: {} });
    const collector = readCollectorConfig({
      file: fileOf(withExamples(collectorTemplate).replace('url_file: ', '# ')),
      environment: {},
    });

    expect(agent.process_conditions).toHaveLength(1);
    expect(collector.notifications.subscriptions).toHaveLength(1);
  });
});

describe('the examples in docs/notifiers.md and docs/notifiers-chat.md', () => {
  const guides = ['notifiers', 'notifiers-chat'].map((name) =>
    readFileSync(resolve(import.meta.dirname, `../../docs/${name}.md`), 'utf8'),
  );
  const examples = guides.flatMap((guide) =>
    [...guide.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, example = '']) => example),
  );
  const server = 'notifications:\n  smtp: { host: mail.example.org, from: w@example.org }\n';
  const read = (example: string) => {
    const whole = /^ {2}smtp:/m.test(example) ? example : example.replace('notifications:\n', server);
    return readCollectorConfig({ file: fileOf(whole), environment: {} }).notifications;
  };

  it.each(examples)('can be copied: %s', async (example) => {
    const notifications = read(example);

    expect(Object.keys(notifications.notifiers)).not.toEqual([]);
    await checkTemplates(notifiersOf(notifications));
  });

  it('show every kind of notifier', () => {
    const shown = examples.flatMap((example) => Object.values(read(example).notifiers).map(({ type }) => type));
    const kinds = notifierSettings.def.options.map(({ def }) => def.shape.type.def.values[0]);

    expect(new Set(['log', ...shown])).toEqual(new Set(kinds));
  });
});
