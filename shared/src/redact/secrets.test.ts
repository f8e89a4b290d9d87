import { describe, expect, it } from 'vitest';
import { createRedact } from './redact.ts';
import { secretShapes } from './secrets.ts';

/*
 * Made up here, piece by piece, so that nobody takes a line of this file for a secret. `drawn` is as random as theirs are.
 */
function drawn(length: number, alphabet = `${upper}${lower}${digits}`): string {
  let state = length * 2_654_435_761 + alphabet.length;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return alphabet[(state >>> 8) % alphabet.length];
  }).join('');
}
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const hex = `${digits}abcdef`;
const base32 = `${upper}234567`;
const base64 = `${upper}${lower}${digits}+/`;
const url64 = `${upper}${lower}${digits}_-`;
const uuid = [8, 4, 4, 4, 12].map((length) => drawn(length, hex)).join('-');

interface Case {
  /** What is before and after the secret stays. */
  readonly leaks: readonly (readonly [before: string, secret: string, after: string])[];
  readonly stays: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'aws access key': {
    leaks: [
      ['using ', `AKIA${drawn(16, base32)}`, ' in eu-west-1'],
      ['', `ASIA${drawn(16, base32)}`, ''],
    ],
    stays: ['AKIA is the prefix', 'NASIABCDEFGHIJKLMNOPQR', 'AKIAlowercaseisnotone'],
  },
  'aws secret key': {
    leaks: [
      ['aws_secret_access_key = ', drawn(40, base64), ''],
      ['AWS Secret Access Key: ', drawn(40, base64), ' ok'],
    ],
    stays: ['aws secret access key: not configured', 'aws_secret_name=db'],
  },
  'aws session token': { leaks: [['token is ', `IQoJ${drawn(300, base64)}`, '']], stays: ['IQoJ is how they begin'] },
  'google api key': {
    leaks: [['https://maps.example/js?v=3&k=', `AIza${drawn(35, url64)}`, '']],
    stays: ['AIzaShort', 'the Maiza project'],
  },
  'google oauth token': {
    leaks: [
      ['got ', `ya29.${drawn(60, url64)}`, ''],
      ['client ', `GOCSPX-${drawn(28, url64)}`, ''],
    ],
    stays: ['ya29.short', 'https://x.example/1//0'],
  },
  'azure account key': {
    leaks: [
      [
        'DefaultEndpointsProtocol=https;AccountName=train;AccountKey=',
        `${drawn(86, base64)}==`,
        ';EndpointSuffix=core.windows.net',
      ],
      ['Endpoint=sb://bus.example/;SharedAccessKeyName=Root;SharedAccessKey=', `${drawn(43, base64)}=`, ''],
    ],
    stays: ['AccountName=devstoreaccount', 'SharedAccessKeyName=RootManageSharedAccessKey'],
  },
  'azure signature': {
    leaks: [['https://a.blob.core.windows.net/c/f?sv=2022-11-02&se=2026-01-01&sig=', `${drawn(43)}%3D`, '&sp=r']],
    stays: ['f?sig=unsigned', 'sv=2022-11-02&sr=b'],
  },
  'azure client secret': { leaks: [['with ', `${drawn(3)}8Q~${drawn(34, url64)}`, ' now']], stays: ['what is 8Q~?'] },
  'alibaba access key': { leaks: [['id ', `LTAI${drawn(20)}`, '']], stays: ['VOLTAIRE', 'LTAIR'] },
  'tencent secret id': { leaks: [['id ', `AKID${drawn(32)}`, '']], stays: ['AKID', 'akidnapping'] },
  'digitalocean token': {
    leaks: [['doctl auth ', `dop_v1_${drawn(64, hex)}`, '']],
    stays: ['dop_v1_0abc', 'loss_v1_0'],
  },
  'heroku key': {
    leaks: [
      ['using ', `HRKU-${drawn(60, url64)}`, ''],
      ['heroku key: ', uuid, ' set'],
    ],
    stays: ['heroku app train-1 deployed', `dyno ${uuid}`],
  },
  'terraform token': {
    leaks: [['credentials ', `${drawn(14)}.atlasv1.${drawn(67, url64)}`, '']],
    stays: ['x.atlasv1.y'],
  },
  'pulumi token': { leaks: [['login ', `pul-${drawn(40, hex)}`, '']], stays: ['pul-request'] },
  'vault token': {
    leaks: [
      ['login ', `hvs.${drawn(90, url64)}`, ''],
      ['', `hvb.${drawn(90, url64)}`, ''],
    ],
    stays: ['hvs.example'],
  },
  'databricks token': { leaks: [['using ', `dapi${drawn(32, hex)}`, '']], stays: ['dapi endpoint', 'dapie0123'] },
  'kubernetes client key': {
    leaks: [['    client-key-data: ', drawn(400, base64), '']],
    stays: ['client-key-data: none', 'client-key: /etc/kubernetes/pki/client.key'],
  },
  'github token': {
    leaks: [
      ['fatal: could not read from https://', `ghp_${drawn(36)}`, ' as repository'],
      ['', `gho_${drawn(36)}`, ''],
      ['Token=', `ghs_${drawn(36)}`, ''],
      ['login ', `github_pat_${drawn(22)}_${drawn(59)}`, '.'],
    ],
    stays: ['ghp_short', 'the ghs_ prefix', `weights_${drawn(10, hex)}`],
  },
  'gitlab token': {
    leaks: [
      ['docker login with ', `glpat-${drawn(20, url64)}`, ' !'],
      ['job ', `glcbt-64_${drawn(20, url64)}`, ''],
    ],
    stays: ['glpat-short', 'glibc-2.36-9+deb12u4'],
  },
  'atlassian token': {
    leaks: [
      ['as ', `ATATT3${drawn(180, url64)}`, ''],
      ['as ', `ATBB${drawn(32)}`, ''],
    ],
    stays: ['ATBB'],
  },
  'npm token': {
    leaks: [['//registry.npmjs.org/:_x ', `npm_${drawn(36)}`, '']],
    stays: ['npm_config_registry', 'npm_package_version'],
  },
  'pypi token': { leaks: [['twine ', `pypi-AgEIcHlwaS5vcmc${drawn(120, url64)}`, '']], stays: ['pypi-server-2.0.1'] },
  'rubygems key': { leaks: [['push ', `rubygems_${drawn(48, hex)}`, '']], stays: ['rubygems_version'] },
  'docker token': { leaks: [['login ', `dckr_pat_${drawn(27, url64)}`, '']], stays: ['dckr_pat_ is short'] },
  'docker credentials': {
    leaks: [['{"auths":{"registry.example":{"auth": "', drawn(44, base64), '"}}}']],
    stays: ['"auth": "basic"', '"authors": "somebody"'],
  },
  'hugging face token': {
    leaks: [['login(', `hf_${drawn(34)}`, ')']],
    stays: ['hf_transfer is not installed', 'hf_hub_download'],
  },
  'anthropic key': { leaks: [['x ', `sk-ant-api03-${drawn(93, url64)}`, '']], stays: ['sk-ant-short'] },
  'openrouter key': { leaks: [['x ', `sk-or-v1-${drawn(64, hex)}`, '']], stays: ['sk-or-v1'] },
  'openai key': {
    leaks: [
      ['Incorrect: ', `sk-proj-${drawn(100, url64)}`, '.'],
      ['Incorrect: ', `sk-${drawn(48)}`, '. Find it'],
    ],
    stays: ['sk-learn-contrib-categorical-encoders', 'risk-assessment', 'task-0123456789'],
  },
  'weights and biases key': {
    leaks: [
      ['wandb login ', drawn(40, hex), ''],
      ['wandb: API key: ', drawn(40, hex), ' ok'],
    ],
    stays: [`commit ${drawn(40, hex)}`, 'wandb: Run data is saved locally in wandb/run-20260101_120000-1a2b3c4d'],
  },
  'replicate token': { leaks: [['x ', `r8_${drawn(37)}`, '']], stays: ['r8_is_a_register'] },
  'groq key': { leaks: [['x ', `gsk_${drawn(52)}`, '']], stays: ['gsk_buff'] },
  'notion token': {
    leaks: [
      ['x ', `ntn_${drawn(46)}`, ''],
      ['x ', `secret_${drawn(43)}`, ''],
    ],
    stays: ['secret_name', 'ntn_short'],
  },
  'slack token': {
    leaks: [
      ['x ', `xoxb-${drawn(12, digits)}-${drawn(24)}`, ''],
      ['x ', `xoxe.xoxp-1-${drawn(40)}`, ''],
      ['x ', `xapp-1-A0-${drawn(60)}`, ''],
    ],
    stays: ['xoxo, yours', 'xoxb-'],
  },
  'slack webhook': {
    leaks: [
      ['POST https://hooks.slack.com/services/', `T${drawn(8, base32)}/B${drawn(8, base32)}/${drawn(24)}`, ' 404'],
    ],
    stays: ['https://hooks.slack.com/services/', 'https://api.slack.com/methods'],
  },
  'discord webhook': {
    leaks: [[`https://discord.com/api/webhooks/${drawn(18, digits)}/`, drawn(68, url64), ' 429']],
    stays: ['https://discord.com/api/webhooks/', 'https://discord.com/channels/123/456'],
  },
  'discord token': {
    leaks: [['x ', `M${drawn(25)}.${drawn(6)}.${drawn(38, url64)}`, '']],
    stays: ['Module.method.call', 'My.long.sentence'],
  },
  'telegram token': {
    leaks: [
      ['https://api.telegram.org/bot', `${drawn(10, '123456789')}:AA${drawn(33, url64)}`, '/getMe'].map((part) =>
        part.replace('/bot', '/bot '),
      ) as [string, string, string],
    ],
    stays: ['10:AA', '12:34:56 AAPL'],
  },
  'microsoft teams webhook': {
    leaks: [
      ['https://acme.webhook.office.com/webhookb2/', `${uuid}@${uuid}/IncomingWebhook/${drawn(32, hex)}/${uuid}`, ''],
    ],
    stays: ['https://acme.webhook.office.com/webhookb2/'],
  },
  'sendgrid key': {
    leaks: [['x ', `SG.${drawn(22, url64)}.${drawn(43, url64)}`, '']],
    stays: ['SG.Foo.Bar', 'MSG.1.2'],
  },
  'twilio key': { leaks: [['x ', `SK${drawn(32, hex)}`, '']], stays: ['SK-1234', `TASK${drawn(32, hex)}`] },
  'mailgun key': { leaks: [['x ', `key-${drawn(32, hex)}`, '']], stays: ['key-value store', 'turkey-0123'] },
  'mailchimp key': { leaks: [['x ', `${drawn(32, hex)}-us14`, '']], stays: ['gcr.io-us1', `${drawn(32, hex)}-used`] },
  'stripe key': {
    leaks: [
      ['x ', `sk_live_${drawn(24)}`, ''],
      ['x ', `rk_test_${drawn(24)}`, ''],
    ],
    stays: [`pk_live_${drawn(24, lower)}`, 'disk_test_1'],
  },
  'webhook secret': { leaks: [['x ', `whsec_${drawn(43, base64)}=`, '']], stays: ['whsec_x'] },
  'square token': { leaks: [['x ', `sq0atp-${drawn(22, url64)}`, '']], stays: ['sq0'] },
  'shopify token': { leaks: [['x ', `shpat_${drawn(32, hex)}`, '']], stays: ['shpat_none'] },
  'facebook token': { leaks: [['x ', `EAA${drawn(160)}`, '']], stays: ['EAA'] },
  'linear key': { leaks: [['x ', `lin_api_${drawn(40)}`, '']], stays: ['lin_api_url'] },
  'grafana token': { leaks: [['x ', `glsa_${drawn(32)}_${drawn(8, hex)}`, '']], stays: ['glsa_none'] },
  'sentry token': { leaks: [['x ', `sntrys_${drawn(80)}`, '']], stays: ['sntrys_none'] },
  'new relic key': { leaks: [['x ', `NRAK-${drawn(27, base32)}`, '']], stays: ['NRAK-1'] },
  'postman key': { leaks: [['x ', `PMAK-${drawn(24, hex)}-${drawn(34, hex)}`, '']], stays: ['PMAK-1'] },
  'json web token': {
    leaks: [
      ['x ', `eyJhbGciOiJIUzI1NiJ9.eyJ${drawn(60, url64)}.${drawn(43, url64)}`, ''],
      ['x ', `eyJhbGciOiJub25lIn0.eyJ${drawn(30, url64)}.`, ''],
    ],
    stays: ['eyJ is how they begin', 'surveyJson.data.items'],
  },
  'age key': {
    leaks: [['x ', `AGE-SECRET-KEY-1${drawn(58, base32)}`, '']],
    stays: [`age1${drawn(58, lower)}`, 'AGE-SECRET-KEY-1'],
  },
  'url password': {
    leaks: [
      ['could not connect to postgres://train:', 'hunter2', '@db.internal:5432/runs'],
      ['mysql://root:', 'p@ss/w0rd', '@localhost/x'],
      ['mongodb+srv://u:', 'x', '@cluster0.example/test'],
      ['redis://:', 'onlypassword', '@cache:6379/0'],
      ['amqp://guest:', 'guest', '@mq//'],
      ['git clone https://joe:', 'tok-123', '@git.example/repo.git'],
    ],
    stays: [
      'http://localhost:8080/a@b',
      'https://registry.example:4873/@scope/package',
      'postgres://db.internal:5432/runs',
      'mailto:joe@example.org',
      'tcp://10.0.0.1:29500',
      'ssh://git@example.org:22/repo',
    ],
  },
  authorization: {
    leaks: [
      ['> Authorization: Bearer ', 'abc123', ''],
      ['authorization: Basic ', 'dXNlcjpwYXNz', ' sent'],
      ['{"Authorization": "token ', 'v1.0-abcdef', '"}'],
      ["curl -H 'X-Api-Key: ", 'qwerty-1', "'"],
      [
        'Authorization: AWS4-HMAC-SHA256 ',
        'Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=5d672d79',
        '',
      ],
    ],
    stays: ['Authorization: required', '401 Authorization Required', 'authorization failed for user joe'],
  },
  'bearer token': {
    leaks: [['sent Bearer ', drawn(30, url64), ' to it']],
    stays: ['the bearer of this letter', 'Bearer authentication'],
  },
  cookie: {
    leaks: [
      ['Cookie: ', 'session=abc; theme=dark', ''],
      ['Set-Cookie: ', 'sid=31d4; Path=/; HttpOnly', ''],
      ['{"cookie": "', 'a=b1', '"}'],
    ],
    stays: ['cookie: none', 'Cookies are delicious', 'cookiecutter==2.6.0'],
  },
  password: {
    leaks: [
      ['machine api.example login joe password ', 'opensesame', ''],
      ['curl -sS -u joe:', 'opensesame', ' https://x.example'],
      ['wget --user joe:', 'x1', ' u'],
      ['sshpass -p ', 'opensesame', ' ssh joe@host'],
      ['mysqldump -u root -p', 'opensesame', ' runs'],
    ],
    stays: [
      'curl -o file.txt https://x.example',
      'mysql -p runs',
      'login failed: password incorrect',
      'mysql -u root -h db',
    ],
  },
};

const redact = createRedact({ isEnabled: true, patterns: [] });

describe('a secret of known shape', () => {
  it('has a case here, whichever it is, and there are enough', () => {
    expect(new Set(secretShapes.map(({ name }) => name))).toEqual(new Set(Object.keys(cases)));
    expect(Object.keys(cases).length).toBeGreaterThanOrEqual(30);
  });

  const leaks = Object.entries(cases).flatMap(([name, of]) => of.leaks.map((leak) => [name, ...leak] as const));
  it.each(leaks)('F125 %s is taken out between %j and what follows', (...[name, before, secret, behind]) => {
    const shown = redact(before + secret + behind);

    // Behind a name that gives it away, the name's own word for it will do.
    expect([`${before}[redacted: ${name}]${behind}`]).toEqual([shown]);
    expect(redact(shown)).toBe(shown);
  });

  const near = Object.entries(cases).flatMap(([name, of]) => of.stays.map((text) => [name, text] as const));
  it.each(near)('F125 what is nearly a %s stays: %s', (_, text) => {
    expect(redact(text)).toBe(text);
  });
});
