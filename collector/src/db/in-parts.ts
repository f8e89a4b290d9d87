/** Many rows by several statements, so that each stays far below the 65,535 parameters of the protocol; sent together. */
export async function inParts<Row>(
  rows: readonly Row[],
  size: number,
  write: (part: Row[]) => PromiseLike<unknown>,
): Promise<void> {
  const parts = Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
  await Promise.all(parts.map(write));
}
