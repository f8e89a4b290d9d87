import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const lowest = 20_000;
const draws = 8;
const perDraw = 1500;

/**
 * A port of 127.0.0.1 where nobody listens. It lies below those that the kernel gives to whoever asks for any
 * (`ip_local_port_range`, from 32768), so that it stays free until its server starts, and while that server restarts.
 * Tests that run side by side draw from different ones.
 */
export async function freePort(): Promise<number> {
  const first = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % draws) * perDraw;
  for (let left = 50; ; left -= 1) {
    const port = randomInt(first, first + perDraw);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch (error) {
      if (left === 0) throw error;
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
