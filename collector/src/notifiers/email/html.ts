import type { Story } from '../story.ts';
import { moreLine } from '../story.ts';
import type { Tone } from '../wording.ts';

/*
 * Mail programs know little of CSS, so what matters stands in style attributes; the one style sheet is for the dark, and is
 * lost without harm. No picture, no script, nothing fetched.
 */

/** The story as one page of HTML 4 with inline styles. Every text in it is escaped. */
export function htmlPage(story: Story): string {
  const { title, sentence, facts, evidence, advice, group, lines, link } = story;
  const body = [
    `<p style="margin:0 0 4px;font-size:13px;opacity:.7">${escapeHtml(story.class)}</p>`,
    `<h1 style="margin:0 0 8px;font-size:20px;line-height:1.3">${escapeHtml(title)}</h1>`,
    sentence === '' ? '' : `<p style="margin:0 0 16px;font-size:16px">${escapeHtml(sentence)}</p>`,
    list('What to do', advice),
    factTable(facts),
    list('What proves it', evidence),
    list('Told together', [...group.lines, ...moreLine(story)]),
    lines.length === 0
      ? ''
      : `${heading('Its last lines')}<pre class="box" style="${styles.pre}">${lines.map(escapeHtml).join('\n')}</pre>`,
    link === null
      ? ''
      : `<p style="margin:16px 0 0"><a href="${escapeHtml(link)}" style="color:#1a73e8">Open the incident</a></p>`,
  ].join('\n');
  return frame(story, body);
}

/** Words of people's own, as they are. */
export function htmlOfText(story: Story, text: string): string {
  return frame(story, `<div style="white-space:pre-wrap">${escapeHtml(text)}</div>`);
}

function frame({ title, tone }: Story, body: string): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>@media (prefers-color-scheme:dark){body,.page{background:#16181c!important;color:#e8eaed!important}.box{background:#24272d!important;color:#e8eaed!important}a{color:#8ab4f8!important}}</style>
</head><body style="margin:0;padding:16px;background:#ffffff;color:#202124">
<div class="page" style="${styles.page};border-left:4px solid ${colours[tone]}">
${body}
</div></body></html>
`;
}

/** For text and for quoted attributes alike. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const colours: Readonly<Record<Tone, string>> = {
  bad: '#d93025',
  warning: '#f29900',
  good: '#188038',
  info: '#1a73e8',
};

const styles = {
  page: "max-width:720px;padding:0 0 0 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:15px;line-height:1.5;background:#ffffff;color:#202124",
  pre: 'margin:0;padding:12px;overflow:auto;white-space:pre-wrap;word-break:break-word;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;line-height:1.4;background:#f1f3f4;color:#202124;border-radius:4px',
};

function heading(text: string): string {
  return `<h2 style="margin:16px 0 4px;font-size:14px">${escapeHtml(text)}</h2>`;
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  return `${heading(title)}<ul style="margin:0;padding:0 0 0 20px">${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

function factTable(facts: Story['facts']): string {
  if (facts.length === 0) return '';
  const rows = facts.map(
    ({ label, value }) =>
      `<tr><td style="padding:2px 16px 2px 0;vertical-align:top;opacity:.7;white-space:nowrap">${escapeHtml(label)}</td><td style="padding:2px 0;word-break:break-word">${escapeHtml(value)}</td></tr>`,
  );
  return `<table role="presentation" style="margin:16px 0 0;border-collapse:collapse;font-size:14px">${rows.join('')}</table>`;
}
