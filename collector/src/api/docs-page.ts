import { type ErrorCode, errorCodes } from './errors.ts';
import type { ApiDocument, ApiOperation, ApiParameter } from './openapi.ts';

/** The API as one page for people, from its document. No script; its only asset is `docs.css` of the dashboard. */
export function docsPage(document: ApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation })),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runnerwatch API</title>
<link rel="icon" href="../favicon.svg">
<link rel="stylesheet" href="../docs.css">
</head>
<body>
<header><a href="../">Runnerwatch</a><span>HTTP API</span><a href="v1/openapi.json">openapi.json</a></header>
<main>
<p class="lead">${prose(document.info.description ?? '')}</p>
<p class="lead">On the collector's own machine no token is needed. From elsewhere send <code>Authorization: Bearer …</code>; the first token is in <code>api.token</code> in the collector's data directory, and <code>runnerwatch people add</code> makes one for each person, with a role: <code>viewer</code> reads, <code>operator</code> also acknowledges, silences and subscribes, <code>admin</code> does everything.</p>
<pre><code>curl -s http://127.0.0.1:4777/api/v1/tasks?status=failed | jq '.items[].verdict.summary'</code></pre>
${operations.map(operationHtml).join('\n')}
<section><h2>Errors</h2><p>Every error is <code>{"error": {"code", "message", "field"?}}</code>.</p><table>${errorRows()}</table></section>
</main>
</body>
</html>
`;
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: ApiOperation }): string {
  const parameters = operation.parameters ?? [];
  return `<section>
<h2><span class="method ${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</span> <code>${escapeHtml(path)}</code></h2>
<p>${prose(operation.summary ?? operation.description ?? '')}${roleText(operation)}</p>
${parameters.length === 0 ? '' : `<table>${parameters.map(parameterRow).join('')}</table>`}
${operation.requestBody === undefined ? '' : `<details><summary>Body</summary><pre>${escapeHtml(JSON.stringify(operation.requestBody, null, 2))}</pre></details>`}
<details><summary>Answer</summary><pre>${escapeHtml(JSON.stringify(operation.responses ?? {}, null, 2))}</pre></details>
</section>`;
}

function roleText({ 'x-role': role }: ApiOperation): string {
  return role === undefined || role === 'viewer' ? '' : ` Takes the role <code>${role}</code>.`;
}

function parameterRow({ name, in: place, required, description, schema }: ApiParameter): string {
  const values = Array.isArray(schema?.['enum']) ? schema['enum'].join(' · ') : String(schema?.['type'] ?? '');
  const where = place === 'path' ? 'in the path' : required === true ? 'required' : 'optional';
  return `<tr><th><code>${escapeHtml(name)}</code></th><td>${where}</td><td>${escapeHtml(values)}</td><td>${prose(description ?? String(schema?.['description'] ?? ''))}</td></tr>`;
}

function errorRows(): string {
  return (Object.keys(errorCodes) as ErrorCode[])
    .map(
      (code) =>
        `<tr><th><code>${code}</code></th><td>${errorCodes[code].status}</td><td>${prose(errorCodes[code].message)}</td></tr>`,
    )
    .join('');
}

/** Text with its `code` marked as such. */
function prose(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
