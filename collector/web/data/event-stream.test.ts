import { expect, it } from 'vitest';
import { readEvents } from './event-stream.ts';

it('reads events however the bytes are cut, and takes comments for signs of life only', async () => {
  const bytes = new TextEncoder().encode(
    'retry: 2000\n: welcome\n\nevent: task\ndata: {"name":"größe 🧠"}\n\n: still here\n\nevent: removed\ndata: {"id":"1"}\n\nevent: task\ndata: {"cut',
  );
  for (let size = 1; size < bytes.length; size += 1) {
    const events: [string, unknown][] = [];
    let alive = 0;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (let from = 0; from < bytes.length; from += size) controller.enqueue(bytes.slice(from, from + size));
        controller.close();
      },
    });

    await readEvents(body, { onAlive: () => (alive += 1), onEvent: (name, data) => events.push([name, data]) });

    expect(events).toEqual([
      ['task', { name: 'größe 🧠' }],
      ['removed', { id: '1' }],
    ]);
    expect(alive).toBe(Math.ceil(bytes.length / size));
  }
});
