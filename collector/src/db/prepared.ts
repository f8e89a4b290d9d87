/** Long texts are lists of rows, different each time: preparing them would only fill the server's memory. */
export function isWorthPreparing(text: string): boolean {
  return text.length < 1500;
}
