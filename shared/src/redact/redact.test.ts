import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLinearPattern } from './linear-pattern.ts';
import { createRedact } from './redact.ts';

const redact = createRedact({ isEnabled: true, patterns: [] });

/** What is drawn by lot, the same in every run. */
function drawn(length: number, alphabet: string): string {
  let state = length * 2_654_435_761 + alphabet.length;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return alphabet[(state >>> 8) % alphabet.length];
  }).join('');
}
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const letters = base64.slice(0, 62);
const hex = '0123456789abcdef';

describe('a secret that its name gives away', () => {
  it.each([
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=[redacted: password]'],
    ['export PGPASSWORD=hunter2; psql', 'export PGPASSWORD=[redacted: password]; psql'],
    ['MYSQL_PWD="two words" mysql', 'MYSQL_PWD="[redacted: password]" mysql'],
    [
      '{"user": "joe", "password": "hunter2", "port": 5432}',
      '{"user": "joe", "password": "[redacted: password]", "port": 5432}',
    ],
    [String.raw`"{\"password\":\"hunter2\"}"`, String.raw`"{\"password\":\"[redacted: password]\"}"`],
    ["{'clientSecret': 'abc', 'x': 1}", "{'clientSecret': '[redacted: secret]', 'x': 1}"],
    ['  password: hunter2', '  password: [redacted: password]'],
    ['passphrase: correct1 horse', 'passphrase: [redacted: password] horse'],
    ["os.environ['API_KEY'] = 'qwertz'", "os.environ['API_KEY'] = '[redacted: key]'"],
    ['train.py --password hunter2 --epochs 3', 'train.py --password [redacted: password] --epochs 3'],
    ['train.py --api-key=qwertz-9', 'train.py --api-key=[redacted: key]'],
    ['["--client-secret", "hunter2", "-v"]', '["--client-secret", "[redacted: secret]", "-v"]'],
    ["'--token' 'abc12345'", "'--token' '[redacted: token]'"],
    ['https://x.example/?access_token=abc12345&page=2', 'https://x.example/?access_token=[redacted: token]&page=2'],
    ['Server=db;Password=hunter2;Database=runs', 'Server=db;Password=[redacted: password];Database=runs'],
    ['connect(user=joe, password=hunter2)', 'connect(user=joe, password=[redacted: password])'],
    ['AUTH_TOKEN_PROD=abc12345', 'AUTH_TOKEN_PROD=[redacted: token]'],
    ['accessKey => "abc-def"', 'accessKey => "[redacted: key]"'],
    ['x-access-token: abcdefgh1', 'x-access-token: [redacted: token]'],
    ['SECRET_KEY_BASE=abc', 'SECRET_KEY_BASE=[redacted: secret]'],
    [`license key=${drawn(24, letters)}`, 'license key=[redacted: key]'],
    [`signature: ${drawn(32, hex)}`, 'signature: [redacted: key]'],
  ])('F125 %s', (text, shown) => {
    expect(redact(text)).toBe(shown);
    expect(redact(shown)).toBe(shown);
  });

  it.each([
    'password: must be at least 8 characters',
    'password=$DB_PASSWORD --user=joe',
    'password: ${PASSWORD}',
    'password=<hidden>',
    'password=******',
    'password = None',
    'PASSWORD_FILE=/run/secrets/db',
    'FATAL: password authentication failed for user "joe"',
    'PWD=/home/joe OLDPWD=/tmp',
    'tokens: 4096',
    'max_tokens=2048, pad_token=<pad>, eos_token: endoftext2',
    'token_count=512 tokens/s: 123.4',
    'tokenizer=meta-llama/Llama-3.1-8B',
    "SyntaxError: Unexpected token '}'",
    'Unexpected token: identifier',
    'secretName: db-credentials',
    'Kubernetes secret not found',
    'api_key: missing',
    'private_key=/etc/ssl/private/server.key',
    'Missing key(s) in state_dict: "encoder.layer.0.weight"',
    'KeyError: "layer_norm_1"',
    'cache_key=linux-node-5f4dcc3b5aa765d61d8327deb882cf99',
    'primary_key=0123456789abcdef0123456789abcdef',
    'for key: value in x',
    'passed: 12, failed: 3',
    'compass: north1',
  ])('F125 stays when it is none: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('a word that looks drawn by lot', () => {
  it('F125 is taken out wherever it stands', () => {
    for (const length of [32, 40, 64, 88]) {
      expect(redact(`got ${drawn(length, letters)} back`)).toBe('got [redacted: random word] back');
    }
  });

  it.each([
    ['a commit', `HEAD is now at ${drawn(40, hex)} fix`],
    ['a commit, short', 'Merge 3f2a91c into 77aa1b2'],
    ['a UUID', 'run 123e4567-e89b-12d3-a456-426614174000 ended'],
    ['a container id', `container ${drawn(64, hex)} died`],
    ['an image digest', `docker.io/library/python@sha256:${drawn(64, hex)}`],
    ['a digest in base64', `integrity sha512-${drawn(86, base64)}==`],
    ['a host key fingerprint', `ED25519 key fingerprint is SHA256:${drawn(43, base64)}`],
    ['a public key', `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${drawn(43, base64)} joe@host`],
    ['a path', '/home/joe/Projects/LlamaFactory/src/llamafactory/train/sft/Workflow2Trainer.py'],
    [
      'a path of a cache',
      `/root/.cache/huggingface/hub/models--meta-llama--Llama-3.1-8B-Instruct/snapshots/${drawn(40, hex)}/config.json`,
    ],
    ['a path of Nix', '/nix/store/0c1l8yzk4vg3hqhrf5i2ckbp6l1rzmbq-python3-3.12.4/bin/python3'],
    ['a checkpoint', 'saved Qwen2.5-72B-Instruct-GPTQ-Int4-epoch03-step012000-bf16.safetensors'],
    ['a name in camel case', 'SplitInferenceTransformerEncoderLayerWithRotaryEmbedding2Config'],
    ['a mangled name', 'undefined symbol: _ZN3c104cuda20CUDACachingAllocator9allocatorE2at6TensorRKSs'],
    ['a mangled name of Rust', '_RNvXs2_NtCsdBezzDwma51_4core5arrayINtB5_8IntoIterjKj3_ENtNtCs'],
    ['addresses', '0x00007f3a2c1b4d60 in at::native::_add_cuda+0x3f2 (libtorch_cuda.so)'],
    ['a dump', '0010: 7f 45 4c 46 02 01 01 00 deadbeefcafebabe0123456789abcdef'],
    ['a pod', 'pod/train-llama-7b-worker-0-7d8f9c6b5d-x2x4z in namespace ml-research-team-2'],
    ['a table of numbers', 'loss 0.12345678901234567890123456789012 lr 1e-05'],
    ['separators', '================================================================'],
    ['an instant', '2026-01-01T00:00:00.000000000Z 1767225600000000000'],
  ])('F125 stays when it is %s', (_, text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('a private key', () => {
  const body = Array.from({ length: 5 }, (_, index) => drawn(64 - index, base64));
  const key = ['-----BEGIN OPENSSH PRIVATE KEY-----', ...body, 'AbC=', '-----END OPENSSH PRIVATE KEY-----'];

  it('F125 over several lines is one mark', () => {
    expect(redact(['before', ...key, 'after'].join('\n'))).toBe('before\n[redacted: private key]\nafter');
  });

  it('F125 goes though each line has a mark before it and others lie between', () => {
    const lines = key.flatMap((line, index) => [`stderr: ${line}`, ...(index === 3 ? ['epoch 2 of 3'] : [])]);

    expect(redact(lines.join('\n'))).toBe('stderr: [redacted: private key]\nepoch 2 of 3');
  });

  it('F125 goes though its first lines or its last are missing', () => {
    expect(redact([...key.slice(3), 'after'].join('\n'))).toBe('[redacted: private key]\nafter');
    expect(redact(['before', ...key.slice(0, 4)].join('\n'))).toBe('before\n[redacted: private key]');
  });

  it('F125 goes out of the JSON of a service account', () => {
    const account = JSON.stringify({
      type: 'service_account',
      private_key: `${key.join('\n')}\n`,
      client_email: 'a@b.c',
    });

    expect(redact(account)).toBe(
      '{"type":"service_account","private_key":"[redacted: private key]","client_email":"a@b.c"}',
    );
  });

  it('stays a word when only its name is spoken', () => {
    const lines = [
      'expected "-----BEGIN PRIVATE KEY-----"',
      'Traceback (most recent call last):',
      '  File "a.py", line 1',
    ];

    expect(redact(lines.join('\n'))).toBe(['expected "[redacted: private key]', ...lines.slice(1)].join('\n'));
    expect(redact('-----BEGIN CERTIFICATE-----')).toBe('-----BEGIN CERTIFICATE-----');
    expect(redact('could not load PRIVATE KEY')).toBe('could not load PRIVATE KEY');
  });
});

describe('a card', () => {
  it.each(['4111 1111 1111 1111', '5555555555554444', '378282246310005', '6011-1111-1111-1117'])(
    'F125 %s',
    (number) => {
      expect(redact(`paid with ${number}, thanks`)).toBe('paid with [redacted: card number], thanks');
    },
  );

  it.each(['4111 1111 1111 1112', '4294967296', '4111111111111111.5', 'v4111111111111111', '1767225600000000000'])(
    'stays when its digits are not one: %s',
    (number) => {
      expect(redact(`step ${number} done`)).toBe(`step ${number} done`);
    },
  );
});

describe('redaction', () => {
  it('takes out what the node calls a secret, under its name', () => {
    const own = createRedact({ isEnabled: true, patterns: [readLinearPattern('PAT-[0-9]{6}', 'patient')] });

    expect(own('joined PAT-123456 and PAT-654321\nPAT-1')).toBe(
      'joined [redacted: patient] and [redacted: patient]\nPAT-1',
    );
  });

  it('is off only when it is switched off', () => {
    const off = createRedact({ isEnabled: false, patterns: [readLinearPattern('x+')] });

    expect(off('password=hunter2 xxx')).toBe('password=hunter2 xxx');
  });

  it('F125 never fails, never leaves a planted secret, and does nothing the second time', () => {
    const planted = fc.constantFrom(
      `ghp_${drawn(36, letters)}`,
      `hf_${drawn(34, letters)}`,
      `sk-ant-api03-${drawn(80, letters)}`,
      `glpat-${drawn(20, letters)}`,
      `AKIA${drawn(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
      `eyJhbGciOiJIUzI1NiJ9.eyJ${drawn(40, letters)}.${drawn(43, letters)}`,
      `xoxb-${drawn(12, '0123456789')}-${drawn(24, letters)}`,
    );
    const noise = fc.string({ unit: 'binary', maxLength: 200 });
    const delimiter = fc.constantFrom(' ', '"', "'", '=', '\n', '(', ': ', '[', '<', ',');
    fc.assert(
      fc.property(noise, delimiter, planted, delimiter, noise, (...[before, left, secret, right, after]) => {
        const shown = redact(before + left + secret + right + after);

        expect(shown).not.toContain(secret);
        expect(redact(shown)).toBe(shown);
      }),
    );
  });

  it('F125 F078 costs no more than the length of a hostile text', () => {
    const parts = [
      'password=',
      'a',
      'a.',
      '--token ',
      '"',
      "'",
      'aws secret ',
      'curl -u ',
      'mysql -p',
      '://a:',
      'eyJaaaaaaaa.',
      'login x ',
      'cookie: a=',
      'wandb ',
      'Bearer ',
      '-----BEGIN PRIVATE KEY-----',
      '4111 ',
      '4',
      'authorization: a',
      'heroku ',
      'login a password ',
      '=',
      'a=',
      '"auth":"',
      'password: "\\',
      'K',
    ];
    for (const part of parts) {
      const text = part.repeat(Math.ceil(64_000 / part.length));
      const began = performance.now();
      redact(text);
      expect.soft(performance.now() - began, part).toBeLessThan(5_000);
    }
  });
});
