/**
 * Statements of one transaction that do not need one another's answers: asked for together they are sent together, and run in
 * this order. Settles when all are answered, also when one fails, so that nothing is still on its way when the transaction is
 * rolled back. What asks more than once goes last: the first failure is the one that is told, those after it only follow from it.
 */
export async function together<const Work extends readonly PromiseLike<unknown>[]>(
  ...work: Work
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  // A query of drizzle begins when it is waited for, and again each time it is.
  const started = work.map((one) => Promise.resolve(one)) as { [Index in keyof Work]: Promise<Awaited<Work[Index]>> };
  await Promise.allSettled(started);
  return Promise.all(started);
}
