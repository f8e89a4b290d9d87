import { createRedact } from '@runnerwatch/shared/redact/redact.ts';

const linesMax = 100;
const lineCharactersMax = 4096;
/** ECMA-48 control sequences, and OSC strings up to their end. */
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;

/** No agent has read these words before. */
const redact = createRedact({ isEnabled: true, patterns: [] });

/** The last lines of a log without secrets, and without what a table or a terminal cannot bear; null when nothing is left. */
export function lastWords(text: string): string[] | null {
  const plain = text.replaceAll(/\r\n?/g, '\n').replaceAll(escapes, '');
  const sound = plain.replaceAll(/[^\P{C}\n\t]/gu, '');
  const lines = redact(sound).trimEnd().split('\n').slice(-linesMax);
  if (lines.every((line) => line.trim() === '')) return null;
  return lines.map((line) => clip(line, lineCharactersMax));
}

/** A name of a job, project or owner as it may be stored; null when nothing of it is left. */
export function cleanName(text: string): string | null {
  const sound = text.replaceAll(/\p{C}/gu, '').trim();
  return sound === '' ? null : clip(sound, 200);
}

function clip(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax).replace(/\p{Surrogate}$/u, '')}…`;
}
