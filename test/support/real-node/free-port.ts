import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 where nobody listens. It lies below those that the kernel gives to whoever asks for any
 * (`ip_local_port_range`, from 32768), so that it stays free until its server starts, and while that server restarts.
 */
export async function freePort(): Promise<number> {
  for (let left = 50; ; left -= 1) {
    const port = randomInt(20_000, 32_000);
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
