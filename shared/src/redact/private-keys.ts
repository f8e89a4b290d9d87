/*
 * Private keys over several lines (RFC 7468, and what OpenSSH, PGP and PuTTY write alike). Lines of others may lie between
 * theirs, each may have something before it, and of a log's last lines the key's first may be gone.
 */

/** @returns the text with every private key replaced by one `mark`. */
export function redactPrivateKeys(text: string, mark: string): string {
  if (!/PRIVATE KEY|Private-Lines/.test(text)) return text;
  const rest = text.replace(keyInOneLine, mark);
  if (!beginning.test(rest) && !ending.test(rest)) return rest;
  return withoutBodies(withoutHeadless(rest.split('\n'), mark), mark).join('\n');
}

const label = String.raw`(?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----`;
/** With `\n` written out, as in the JSON of a service account. */
const keyInOneLine = new RegExp(String.raw`-----BEGIN ${label}[^\n]{0,16000}?-----END ${label}(?:\\n)?`, 'g');
const beginning = new RegExp(String.raw`(?:-----BEGIN ${label}|\bPrivate-Lines: \d).*`);
const ending = new RegExp(String.raw`(?:-----END ${label}|\bPrivate-MAC: \w+)`);

/** A line of a key's body, behind whatever a logger puts before it. */
const bodyLine =
  /(?:^|[\s|:>"'])(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]{1,70}={1,2}|Proc-Type: .{1,40}|DEK-Info: .{1,80})(?:["',]|\\n)*\s*$|^(?:stderr: )?\s*[A-Za-z0-9+/]{0,15}\s*$/;

/** So many lines of others in a row, and the key is over, though its end never came. */
const othersBetween = 10;

function withoutBodies(lines: readonly string[], mark: string): string[] {
  const kept: string[] = [];
  let patience = 0;
  for (const line of lines) {
    const isInside = patience > 0;
    if (beginning.test(line)) {
      kept.push(line.replace(beginning, mark));
      patience = othersBetween;
    } else if (isInside && ending.test(line)) {
      patience = 0;
    } else if (isInside && bodyLine.test(line)) {
      patience = othersBetween;
    } else {
      kept.push(line);
      patience -= 1;
    }
  }
  return kept;
}

/** A key whose beginning is not among the lines: what comes before its end and may be of it goes. */
function withoutHeadless(lines: readonly string[], mark: string): readonly string[] {
  const endAt = lines.findIndex((line) => ending.test(line));
  const beginAt = lines.findIndex((line) => beginning.test(line));
  if (endAt === -1 || (beginAt !== -1 && beginAt < endAt)) return lines;
  return [...lines.slice(0, endAt).filter((line) => !bodyLine.test(line)), mark, ...lines.slice(endAt + 1)];
}
