/** What was started, stopped in the opposite order: each once, one that fails does not keep the others from stopping. */
export class StopStack implements AsyncDisposable {
  readonly #stops: (() => unknown)[] = [];
  #stopping: Promise<void> | undefined;

  defer(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stops.toReversed()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be stopped cleanly');
  }
}
