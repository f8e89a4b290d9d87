/*
 * What the page knows, and how it learns it: the listings once, then the live stream; after every break both again.
 * A stream that says nothing for a while (heartbeats come every 15 s) is taken for dead.
 */

const silenceMs = 40_000;
const retryMs = [500, 1000, 2000, 5000, 10_000];
const tokenKey = 'runnerwatch.token';

/** Calls `on.records(kind, records)`, `on.record(kind, record)`, `on.removed(kind, id)`, `on.sample(nodeId, sample)`, `on.status(status)`, `on.connection(state)`, `on.locked(isRefused)`. */
export function connect(on) {
  let failures = 0;
  let isStarted = false;

  const run = async () => {
    for (;;) {
      try {
        await follow();
        failures = 0;
      } catch (error) {
        /* Every other break is shown as `reconnecting`, and mended by the next round. */
        if (error instanceof Locked) {
          on.locked(sessionStorage.getItem(tokenKey) !== null);
          isStarted = false;
          return;
        }
      }
      on.connection('away');
      await new Promise((resolve) =>
        setTimeout(resolve, retryMs[Math.min(failures, retryMs.length - 1)] * (0.75 + Math.random() / 2)),
      );
      failures += 1;
    }
  };

  /** The stream is opened before the listings are read, so that nothing falls between. */
  const follow = async () => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const stream = await ask('api/v1/stream', silence.signal);
      const waiting = [];
      let deliver = (name, data) => waiting.push([name, data]);
      const reading = readEvents(stream.body, {
        alive: () => {
          clearTimeout(timer);
          timer = setTimeout(() => silence.abort(), silenceMs);
        },
        event: (name, data) => deliver(name, data),
      });
      reading.catch(() => undefined);
      await readListings();
      deliver = dispatch;
      for (const [name, data] of waiting) dispatch(name, data);
      failures = 0;
      on.connection('live');
      await reading;
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  };

  const readListings = async () => {
    const [status, nodes, tasks, incidents] = await Promise.all([
      read('api/v1/status'),
      readAll('api/v1/nodes?limit=200'),
      read('api/v1/tasks?limit=100').then(({ items }) => items),
      readAll('api/v1/incidents?status=open&limit=100'),
    ]);
    on.status(status);
    on.records('node', nodes);
    on.records('task', tasks);
    on.records('incident', incidents);
  };

  const dispatch = (name, data) => {
    if (name === 'sample') on.sample(data.node_id, data.sample);
    else if (name === 'removed') on.removed(data.kind, data.id);
    else if (name === 'node' || name === 'task' || name === 'incident') on.record(name, data);
  };

  const start = () => {
    if (isStarted) return;
    isStarted = true;
    void run();
  };

  start();
  return {
    unlock: (token) => {
      sessionStorage.setItem(tokenKey, token);
      start();
    },
    readTask: (id) => read(`api/v1/tasks/${encodeURIComponent(id)}`),
    readStatus: () => read('api/v1/status'),
  };
}

class Locked extends Error {}

async function read(path) {
  return (await ask(path, AbortSignal.timeout(15_000))).json();
}

async function readAll(path) {
  const items = [];
  let cursor = null;
  do {
    const page = await read(cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < 2000);
  return items;
}

async function ask(path, signal) {
  const token = sessionStorage.getItem(tokenKey);
  const answer = await fetch(path, { signal, headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  if (answer.status === 401) throw new Locked();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer;
}

/** Reads an event stream to its end. EventSource would do, if it could send a token. */
async function readEvents(body, { alive, event }) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name !== undefined && data !== undefined) event(name, JSON.parse(data));
    }
  }
}
