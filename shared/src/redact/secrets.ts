/** What a kind of secret looks like. */
export interface SecretShape {
  /** As a reader sees it: `[redacted: github token]`. */
  readonly name: string;
  /** Words in lower case, one of which is in every text that has such a secret; looked for first, because that is quick. */
  readonly hints: readonly string[];
  /** Global. What its first group took stays: only the rest is the secret. */
  readonly pattern: RegExp;
}

/** Where a word begins and ends, for tokens that do not care about `-` and `_`. */
const begin = String.raw`(?<![A-Za-z0-9])`;
const end = String.raw`(?![A-Za-z0-9])`;

function token(name: string, hints: readonly string[], source: string): SecretShape {
  return { name, hints, pattern: new RegExp(`${begin}(?:${source})${end}`, 'g') };
}

/** What is a secret because of the words before it, whatever their case; `kept` must have no group of its own. */
function after(
  name: string,
  hints: readonly string[],
  { kept, secret }: { kept: string; secret: string },
): SecretShape {
  return { name, hints, pattern: new RegExp(`(${kept})(?!\\[redacted: )(?:${secret})`, 'gi') };
}

/**
 * Every shape of secret that is known by itself, after the documents of those who issue them. A new one is one entry here
 * and its cases in secrets.test.ts. Each takes time linear in its text: what may repeat is bounded, or ends at what follows.
 */
export const secretShapes: readonly SecretShape[] = [
  // ── clouds ──
  token('aws access key', ['akia', 'asia', 'abia', 'acca'], 'A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}'),
  after('aws secret key', ['secret'], {
    kept: String.raw`aws[\w .-]{0,30}secret[\w .-]{0,30}["']?[ \t]*[=:,][ \t]*["']?`,
    secret: '[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])',
  }),
  token('aws session token', ['fwog', 'iqoj'], '(?:FwoG|IQoJ)[A-Za-z0-9/+=]{80,4000}'),
  token('google api key', ['aiza'], String.raw`AIza[\w-]{35}`),
  token(
    'google oauth token',
    ['ya29.', 'gocspx-', '1//0'],
    String.raw`ya29\.[\w.-]{20,2000}|GOCSPX-[\w-]{28}|1//0[\w-]{30,200}`,
  ),
  after('azure account key', ['accountkey', 'sharedaccesskey'], {
    kept: '(?:Account|SharedAccess)Key=',
    secret: '[A-Za-z0-9+/]{40,90}={0,2}',
  }),
  after('azure signature', ['sig='], { kept: '[?&;]sig=', secret: '[A-Za-z0-9%+/=]{30,200}' }),
  token('azure client secret', ['q~'], String.raw`[\w~.]{3}\dQ~[\w~.-]{31,34}`),
  token('alibaba access key', ['ltai'], 'LTAI[A-Za-z0-9]{16,24}'),
  token('tencent secret id', ['akid'], 'AKID[A-Za-z0-9]{32}'),
  token('digitalocean token', ['_v1_'], 'do[opr]_v1_[0-9a-f]{64}'),
  token('heroku key', ['hrku-'], String.raw`HRKU-[\w-]{30,80}`),
  after('heroku key', ['heroku'], {
    kept: String.raw`heroku[\w -]{0,30}["']?[=: ][ "']{0,3}`,
    secret: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  }),
  token('terraform token', ['.atlasv1.'], String.raw`[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,80}`),
  token('pulumi token', ['pul-'], 'pul-[0-9a-f]{40}'),
  token('vault token', ['hvs.', 'hvb.', 'hvr.'], String.raw`hv[sbr]\.[\w-]{20,300}`),
  token('databricks token', ['dapi'], 'dapi[0-9a-f]{32}(?:-[0-9])?'),
  after('kubernetes client key', ['client-key-data'], {
    kept: String.raw`client-key-data["']?:[ \t]*["']?`,
    secret: '[A-Za-z0-9+/=]{16,8000}',
  }),

  // ── code and packages ──
  token(
    'github token',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    String.raw`gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{30,255}`,
  ),
  token(
    'gitlab token',
    ['gl', 'gr1348941'],
    String.raw`gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w.-]{20,300}|GR1348941[\w-]{20,60}`,
  ),
  token('atlassian token', ['atatt3', 'atbb'], 'ATATT3[A-Za-z0-9_=-]{60,300}|ATBB[A-Za-z0-9]{28,40}'),
  token('npm token', ['npm_'], 'npm_[A-Za-z0-9]{36}'),
  token('pypi token', ['pypi-'], String.raw`pypi-[\w-]{50,400}`),
  token('rubygems key', ['rubygems_'], 'rubygems_[0-9a-f]{48}'),
  token('docker token', ['dckr_'], String.raw`dckr_[op]at_[\w-]{20,60}`),
  after('docker credentials', ['"auth', "'auth"], {
    kept: String.raw`["']auth["'][ \t]*:[ \t]*["']`,
    secret: '[A-Za-z0-9+/=]{8,4000}',
  }),

  // ── models and data ──
  token('hugging face token', ['hf_', 'api_org_'], '(?:hf|api_org)_[A-Za-z0-9]{30,60}'),
  token('anthropic key', ['sk-ant-'], String.raw`sk-ant-[\w-]{20,200}`),
  token('openrouter key', ['sk-or-'], String.raw`sk-or-v\d-[0-9a-f]{40,80}`),
  token('openai key', ['sk-'], String.raw`sk-(?:proj|svcacct|admin|None)-[\w-]{20,250}|sk-[A-Za-z0-9]{32,64}`),
  after('weights and biases key', ['wandb'], {
    kept: String.raw`wandb[\w :-]{0,30}["']?[=: ][ \t"']{0,3}`,
    secret: '(?:local-)?[0-9a-f]{40}(?![0-9a-f])',
  }),
  token('replicate token', ['r8_'], 'r8_[A-Za-z0-9]{37}'),
  token('groq key', ['gsk_'], 'gsk_[A-Za-z0-9]{40,60}'),
  token('notion token', ['ntn_', 'secret_'], 'ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43}'),

  // ── messages and money ──
  token('slack token', ['xox', 'xapp-'], String.raw`xox[a-z](?:\.xox[a-z])?-[\w-]{10,300}|xapp-\d-[\w-]{10,200}`),
  after('slack webhook', ['hooks.slack.com/'], {
    kept: String.raw`hooks\.slack\.com/(?:services|workflows|triggers)/`,
    secret: String.raw`[\w/-]{20,120}`,
  }),
  after('discord webhook', ['/api/webhooks/'], {
    kept: String.raw`discord(?:app)?\.com/api/webhooks/\d{10,25}/`,
    secret: String.raw`[\w-]{30,120}`,
  }),
  token('discord token', ['.'], String.raw`[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,45}`),
  token('telegram token', [':aa'], String.raw`\d{8,10}:AA[\w-]{33}`),
  after('microsoft teams webhook', ['webhook.office.com/'], {
    kept: String.raw`webhook\.office\.com/webhookb2/`,
    secret: String.raw`[\w@/-]{40,250}`,
  }),
  token('sendgrid key', ['sg.'], String.raw`SG\.[\w-]{16,32}\.[\w-]{16,64}`),
  token('twilio key', ['sk'], 'SK[0-9a-f]{32}'),
  token('mailgun key', ['key-'], 'key-[0-9a-f]{32}'),
  token('mailchimp key', ['-us'], String.raw`[0-9a-f]{32}-us\d{1,2}`),
  token('stripe key', ['k_live_', 'k_test_'], '[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}'),
  token('webhook secret', ['whsec_'], 'whsec_[A-Za-z0-9+/]{20,100}={0,2}'),
  token('square token', ['sq0'], String.raw`sq0[a-z]{3}-[\w-]{22,50}`),
  token('shopify token', ['shp'], 'shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}'),
  token('facebook token', ['eaa'], 'EAA[A-Za-z0-9]{80,400}'),
  token('linear key', ['lin_api_'], 'lin_api_[A-Za-z0-9]{40}'),

  // ── watching and testing ──
  token('grafana token', ['glsa_', 'glc_'], String.raw`glsa_\w{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{32,400}`),
  token('sentry token', ['sntry'], 'sntry[su]_[A-Za-z0-9_+/=-]{40,300}'),
  token('new relic key', ['nrak-', 'nrii-'], String.raw`NR(?:AK|II)-[\w-]{27,40}`),
  token('postman key', ['pmak-'], 'PMAK-[0-9a-f]{24}-[0-9a-f]{34}'),

  // ── whatever the service ──
  token('json web token', ['eyj'], String.raw`eyJ[\w-]{8,4000}\.[\w-]{8,8000}(?:\.[\w-]{0,2000})?`),
  token('age key', ['age-secret-key-'], 'AGE-SECRET-KEY-1[0-9A-Z]{58}'),
  after('url password', ['://'], {
    kept: String.raw`[a-z][a-z0-9+.-]{0,20}://[^\s/:@"'<>]{0,200}:(?!\d{1,5}(?:[/?#]|$))`,
    secret: String.raw`[^\s"'<>]{1,300}(?=@)`,
  }),
  after('authorization', ['authorization', 'x-api-key', 'x-auth'], {
    kept: String.raw`(?:authorization|x-api-key|x-auth-token|x-auth-key)\\?["']?[ \t]*[:=][ \t]*\\?["']?(?:(?:bearer|basic|token|digest|negotiate|apikey|bot|AWS4-HMAC-SHA256)[ \t]+)?`,
    secret: String.raw`(?:(?<=[a-z56][ \t])|(?!aws4-)(?=[^\s"'\\]{0,400}[\d_=-]))[^\s"'\\,]{4,8000}(?:,[ \t]{0,2}\w{1,40}=[^\s"'\\,]{1,2000}){0,9}`,
  }),
  after('bearer token', ['bearer'], { kept: String.raw`\bbearer[ \t]+`, secret: String.raw`[\w.~+/=-]{16,8000}` }),
  after('cookie', ['cookie'], {
    kept: String.raw`\b(?:set-)?cookie\\?["']?[ \t]*[:=][ \t]*\\?["']?(?=[\w.-]{1,100}=)`,
    secret: String.raw`[^\n"'\\]{3,8000}`,
  }),
  after('password', ['password'], {
    kept: String.raw`\blogin[ \t]+[^\s:]{1,100}\s{1,20}password[ \t]+`,
    secret: String.raw`\S{1,300}`,
  }),
  after('password', ['curl', 'wget'], {
    kept: String.raw`\b(?:curl|wget)\b[^\n|;]{0,500}?[ \t](?:-u|--user|--proxy-user)[ =]?["']?[^\s:"']{1,100}:`,
    secret: String.raw`[^\s"']{1,300}`,
  }),
  after('password', ['sshpass'], {
    kept: String.raw`\bsshpass[ \t]+-p[ \t]*["']?`,
    secret: String.raw`[^\s"']{1,300}`,
  }),
  after('password', ['mysql', 'mariadb'], {
    kept: String.raw`\b(?:mysql|mariadb)(?:dump|admin|show|check|import|-\w{1,10})?\b[^\n|;]{0,500}?[ \t]-p(?=\S)["']?`,
    secret: String.raw`[^\s"']{1,300}`,
  }),
];
