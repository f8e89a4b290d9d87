import { ago, el, visible } from './dom.js';
import { agoText, bytesText, dash, durationText, statusText } from './words.js';

/** One task: a line that opens into verdict, evidence, advice, facts and log. `open(id)` is called when it is pressed. */
export function taskRow(task, { isOpen, isFresh, detail, toggle }) {
  const button = el(
    'button',
    { type: 'button', 'aria-expanded': String(isOpen) },
    el('span', { class: `status ${task.status}`, text: statusText(task.status) }),
    el('span', { class: 'name', text: task.name ?? task.task_id ?? task.id, title: task.name }),
    el('span', { class: 'why', text: whyText(task) }),
    el('span', { class: 'where', text: task.node ?? dash }),
    tookElement(task),
    task.ended_at
      ? ago(task.ended_at, agoText, { class: 'ended' })
      : el('span', { class: 'ended', text: task.status === 'running' ? 'running' : dash }),
  );
  button.addEventListener('click', () => toggle(task.id));
  const classes = ['task', isOpen ? 'open' : '', isFresh ? 'fresh' : ''].filter(Boolean).join(' ');
  return el('div', { class: classes, 'data-id': task.id }, button, isOpen ? more(detail ?? task) : null);
}

function tookElement(task) {
  if (task.status !== 'running' || !task.started_at)
    return el('span', { class: 'took', text: durationText(task.duration_ms) });
  return el('span', {
    class: 'took',
    'data-running-since': task.started_at,
    text: durationText(Date.now() - Date.parse(task.started_at)),
  });
}

function whyText({ verdict, status, command }) {
  if (status === 'running') return command ?? '';
  return verdict?.summary ?? 'Nothing is known about its end';
}

function more(task) {
  const { verdict } = task;
  return el(
    'div',
    { class: 'more' },
    verdict
      ? el('p', { class: 'verdict' }, verdict.summary, el('small', { text: confidenceText(verdict.confidence) }))
      : null,
    verdict?.evidence?.length
      ? block('Evidence', el('ul', { class: 'evidence' }, verdict.evidence.map(evidenceItem)))
      : null,
    verdict?.advice?.length
      ? block(
          'What to do',
          el(
            'ul',
            { class: 'advice' },
            verdict.advice.map((text) => el('li', { text })),
          ),
        )
      : null,
    el('dl', { class: 'facts' }, factsOf(task).map(fact)),
    task.error_excerpt?.length
      ? block(
          'What it said',
          el('pre', { class: 'log', tabindex: '0', text: task.error_excerpt.map(visible).join('\n') }),
        )
      : null,
    task.log_tail?.length
      ? block(
          `Last ${task.log_tail.length === 1 ? 'line' : `${task.log_tail.length} lines`} of its log`,
          el('pre', { class: 'log', tabindex: '0', text: task.log_tail.map(visible).join('\n') }),
        )
      : null,
  );
}

function confidenceText(confidence) {
  return { proven: 'proven', likely: 'likely, not proven', unknown: 'not known for sure' }[confidence] ?? '';
}

function block(title, content) {
  return el('div', {}, el('h3', { text: title }), content);
}

function evidenceItem({ source, at, fact: text }) {
  return el(
    'li',
    {},
    el('b', { text: source }),
    el('span', { text }),
    el('time', { datetime: at, title: at, text: timeText(at) }),
  );
}

/** To the millisecond, in the reader's own zone like every time on the page. */
function timeText(instant) {
  return instant
    ? new Date(instant).toLocaleTimeString(undefined, {
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        fractionalSecondDigits: 3,
        hourCycle: 'h23',
      })
    : '';
}

function factsOf(task) {
  const memory =
    task.memory_peak_bytes === null || task.memory_peak_bytes === undefined
      ? null
      : `${bytesText(task.memory_peak_bytes)}${task.memory_limit_bytes ? ` of ${bytesText(task.memory_limit_bytes)}` : ''}`;
  return [
    ['Command', task.command, 'wide'],
    ['Exit code', task.exit_code],
    ['Signal', task.signal],
    ['CPU time', task.cpu_ms === null || task.cpu_ms === undefined ? null : durationText(task.cpu_ms)],
    ['Peak memory', memory],
    ['Job', [task.project, task.job].filter(Boolean).join(' / ')],
    ['Owner', task.owner],
    ['Source', [task.source, task.unit].filter(Boolean).join(' · ')],
    ['Task id', task.task_id ?? task.id],
    ['Started', localText(task.started_at)],
    ['Ended', task.ended_at && `${task.ended_at_approximate ? 'about ' : ''}${localText(task.ended_at)}`],
  ].filter(([, value]) => value !== null && value !== undefined && value !== '');
}

function fact([name, value, size]) {
  return el('div', { class: size ?? null }, el('dt', { text: name }), el('dd', { text: value }));
}

function localText(instant) {
  return instant
    ? new Date(instant).toLocaleString(undefined, {
        month: 'short',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
      })
    : null;
}
