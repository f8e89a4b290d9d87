/** What holds this text anywhere, as LIKE takes it. */
export function holding(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
