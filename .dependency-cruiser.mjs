/* Who may import whom: the table in docs/architecture.md, as rules. Circles count through types too. */
const model = '^shared/src/model/';
const protocol = '^shared/src/protocol/';
const runtime = '^shared/src/runtime/';
const redact = '^shared/src/redact/';
const webhook = '^shared/src/webhook/';
const zod = '^node_modules/';

/** `from` may import, inside the repository, only itself, the model and what is listed. */
function only(name, from, allowed) {
  return {
    name,
    severity: 'error',
    from: { path: from },
    to: { path: '^(agent|collector|shared|scripts|test)/', pathNot: [from, model, ...allowed] },
  };
}

export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'agent-and-collector-are-strangers',
      severity: 'error',
      from: { path: '^agent/' },
      to: { path: '^collector/' },
    },
    {
      name: 'collector-and-agent-are-strangers',
      severity: 'error',
      from: { path: '^collector/' },
      to: { path: '^agent/' },
    },
    {
      name: 'shared-knows-nobody',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(agent|collector|scripts)/' },
    },
    {
      name: 'nobody-imports-an-assembly',
      severity: 'error',
      from: { pathNot: '(^|/)(main)\\.ts$|\\.test\\.ts$|^test/' },
      to: { path: '^(agent/src/agent|collector/src/collector)\\.ts$' },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^(agent|collector|shared)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^test/' },
    },
    {
      name: 'agent-runs-without-full-zod',
      severity: 'error',
      from: { path: '^(agent|shared)/' },
      to: { path: '^node_modules/zod/', pathNot: '^node_modules/zod/v4/(mini|core)|^node_modules/zod/mini' },
    },
    only('model-imports-nothing', '^shared/src/model/', []),
    only('conditions-import-nothing', '^shared/src/conditions/', []),
    only('runtime-imports-nothing', '^shared/src/runtime/', []),
    only('redact-imports-nothing', '^shared/src/redact/', []),
    only('webhook-imports-nothing', '^shared/src/webhook/', []),
    only('protocol-knows-the-model', '^shared/src/protocol/', []),
    only('proc-imports-nothing', '^agent/src/proc/', []),
    only('samplers-know-proc', '^agent/src/samplers/', [
      '^agent/src/proc/',
      '^agent/src/small-file\\.ts$',
      '^shared/src/conditions/',
      runtime,
    ]),
    only('watchers-know-proc', '^agent/src/watchers/', [
      '^agent/src/proc/',
      '^agent/src/logs/line-tail\\.ts$',
      runtime,
    ]),
    only('tasks-know-sightings', '^agent/src/tasks/', [
      '^agent/src/watchers/watcher\\.ts$',
      '^agent/src/recorder/slope\\.ts$',
      '^agent/src/logs/',
      redact,
      runtime,
    ]),
    only('logs-redact', '^agent/src/logs/', [redact]),
    only('recorder-imports-nothing', '^agent/src/recorder/', [runtime]),
    only('warnings-judge-readings', '^agent/src/warnings/', [
      '^agent/src/recorder/(reading|slope)\\.ts$',
      '^agent/src/tasks/run\\.ts$',
      '^shared/src/conditions/',
      runtime,
    ]),
    only('hooks-post', '^agent/src/hooks/', ['^agent/src/post\\.ts$', runtime]),
    only('fallback-posts', '^agent/src/fallback/', ['^agent/src/post\\.ts$', protocol, webhook, runtime]),
    only('spool-imports-nothing', '^agent/src/spool/', [runtime, '^agent/src/proc/']),
    only('uplink-knows-the-spool', '^agent/src/uplink/', ['^agent/src/spool/', protocol, runtime]),
    only('db-imports-nothing', '^collector/src/db/', ['^collector/src/migrations/', runtime]),
    only('ingest', '^collector/src/ingest/', ['^collector/src/(enrolment|nodes|tasks|samples|db)/', protocol, runtime]),
    only('deputies', '^collector/src/deputies/', ['^collector/src/db/', protocol, runtime]),
    only('enrolment', '^collector/src/enrolment/', ['^collector/src/db/', protocol]),
    only('stores-know-the-db', '^collector/src/(nodes|tasks|samples|people)/', ['^collector/src/db/', runtime]),
    only('collector-conditions-are-pure', '^collector/src/conditions/', ['^shared/src/conditions/']),
    only('incidents', '^collector/src/incidents/', ['^collector/src/db/', runtime]),
    only('routing', '^collector/src/routing/', [
      '^collector/src/notifiers/(settings|email/settings)\\.ts$',
      '^collector/src/db/',
      runtime,
    ]),
    only('alerts', '^collector/src/alerts/', [
      '^collector/src/(conditions|incidents|routing|outbox|nodes|tasks|samples|db)/',
      runtime,
    ]),
    only('outbox', '^collector/src/outbox/', [
      '^collector/src/notifiers/notifier\\.ts$',
      '^collector/src/db/',
      runtime,
    ]),
    only('notifiers', '^collector/src/notifiers/', [webhook, runtime]),
    only('schedulers', '^collector/src/schedulers/', ['^collector/src/(tasks|nodes|db)/', redact, runtime]),
    only('pings', '^collector/src/pings/', ['^collector/src/(tasks|nodes|db)/', redact, runtime]),
    {
      name: 'schedulers-never-each-other',
      severity: 'error',
      from: { path: '^collector/src/schedulers/([^/]+)/' },
      to: { path: '^collector/src/schedulers/([^/]+)/', pathNot: '^collector/src/schedulers/$1/' },
    },
    {
      name: 'notifiers-never-each-other',
      severity: 'error',
      from: { path: '^collector/src/notifiers/([^/]+)/' },
      to: { path: '^collector/src/notifiers/([^/]+)/', pathNot: '^collector/src/notifiers/$1/' },
    },
    only('api', '^collector/src/api/', [
      '^collector/src/(nodes|tasks|pings|samples|alerts|incidents|routing|outbox|people|enrolment|schedulers|db)/',
      runtime,
    ]),
    only('cli-knows-the-api-only', '^collector/cli/', [runtime]),
    only('web-knows-the-api-only', '^collector/web/', []),
    {
      name: 'nobody-imports-the-web',
      severity: 'error',
      from: { path: '^(agent|collector|shared)/', pathNot: '^collector/web/' },
      to: { path: '^collector/web/' },
    },
  ],
  options: {
    doNotFollow: { path: zod },
    // Tests may import what they like; the parser also stumbles over their `await using`. It reads no .tsx: oxlint judges those.
    exclude: { path: '(^|/)(dist|build|\\.cache)/|\\.test\\.ts$|\\.tsx$' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
