/** Asks again every few milliseconds until the check stops throwing (or returns something but false/undefined), or fails with its last error. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 10 } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown = new Error('never true');
  do {
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false) return value;
      last = new Error(`still ${String(value)}`);
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  } while (performance.now() < deadline);
  throw new Error(`not within ${timeoutMs} ms`, { cause: last });
}
