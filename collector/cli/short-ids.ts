const lengthMin = 8;

/** Beginnings long enough to tell these ids apart, all of one length: what a person types back. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const distinct = new Set(ids);
  const longest = Math.max(lengthMin, ...ids.map((id) => id.length));
  let length = lengthMin;
  while (length < longest && new Set([...distinct].map((id) => id.slice(0, length))).size < distinct.size) length += 1;
  return (id) => id.slice(0, length);
}
