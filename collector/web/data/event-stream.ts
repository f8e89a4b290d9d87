/** Reads server-sent events (WHATWG HTML, section 9.2) off a response; comments only keep it alive. Resolves at its end. */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  { onAlive, onEvent }: { onAlive: () => void; onEvent: (name: string, data: unknown) => void },
): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onAlive();
    const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== null) onEvent(event.name, JSON.parse(event.data));
    }
  }
}

/** The collector writes one `event:` and one `data:` line. */
function parseBlock(block: string): { name: string; data: string } | null {
  const lines = block.split('\n');
  const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const name = field('event');
  const data = field('data');
  return name === undefined || data === undefined ? null : { name, data };
}
