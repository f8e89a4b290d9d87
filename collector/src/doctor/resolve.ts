import { lookup } from 'node:dns/promises';

/** What name lookups say, in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is no known name',
  EAI_AGAIN: 'could not be looked up: no name server answers',
};

const timeoutMs = 5_000;

export type Resolved = { readonly addresses: readonly string[] } | { readonly problem: string };

/** The addresses that a URL's host stands for, or what keeps it from having any. */
export async function resolveHost({ hostname }: URL): Promise<Resolved> {
  const host = hostname.replace(/^\[|\]$/g, '');
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject({ code: 'EAI_AGAIN' }), timeoutMs);
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), tooLate]);
    return { addresses: found.map(({ address }) => address) };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return { problem: `${host} ${reasons[code] ?? `could not be looked up (${code})`}` };
  } finally {
    clearTimeout(timer);
  }
}
