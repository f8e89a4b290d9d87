import { describe, expect, it } from 'vitest';
import { createClient } from './client.ts';

/** A collector that knows these credentials; `null` is whoever comes without one. */
function collectorOf(answers: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const fetch = async (_url: string | URL | Request, { headers }: RequestInit = {}): Promise<Response> => {
    const who = new Headers(headers).get('authorization')?.replace('Bearer ', '') ?? 'nobody';
    asked.push(who);
    const status = answers[who] ?? 401;
    const code = status === 403 ? 'forbidden' : 'unauthorized';
    const content = status === 200 ? { is: who } : { error: { code, message: `${who} may not` } };
    return new Response(JSON.stringify(content), { status });
  };
  return { fetch, asked };
}

const url = 'http://127.0.0.1:4777';

describe('the credentials of a command', () => {
  it('are tried in turn, and the first that is let in stays', async () => {
    const { fetch, asked } = collectorOf({ nobody: 403, right: 200 });
    const client = createClient({ settings: { url, tokens: [null, 'wrong', 'right'] }, fetch });

    expect(await client.get('/status')).toEqual({ is: 'right' });
    await client.get('/status');
    expect(asked).toEqual(['nobody', 'wrong', 'right', 'right']);
  });

  it('that nobody knows hide neither what another is refused for, nor what it may', async () => {
    const answers: Record<string, number> = { nobody: 403 };
    const { fetch } = collectorOf(answers);
    const client = createClient({ settings: { url, tokens: [null, 'of-another-collector'] }, fetch });

    await expect(client.post('/people')).rejects.toThrow('nobody may not');
    answers['nobody'] = 200;
    expect(await client.get('/status')).toEqual({ is: 'nobody' });
  });

  it('are asked for, where none is known', async () => {
    const { fetch } = collectorOf({});

    await expect(createClient({ settings: { url, tokens: [null] }, fetch }).get('/status')).rejects.toThrow(
      'asks for an API token; set RUNNERWATCH_API_TOKEN',
    );
    await expect(createClient({ settings: { url, tokens: ['mine'] }, fetch }).get('/status')).rejects.toThrow(
      'does not know this API token; mend RUNNERWATCH_API_TOKEN',
    );
  });
});
