import { ago, el, refreshTimes } from './dom.js';
import { createNodeCard } from './node-card.js';
import { connect } from './source.js';
import { taskRow } from './task-row.js';
import { agoText, countText, durationText } from './words.js';

/* The page: records in maps, one drawing a frame at most, only of what changed. */

const byId = (id) => document.getElementById(id);
const tasksShownMax = 200;
const notWell = new Set(['failed', 'killed', 'killed_oom', 'timed_out', 'lost', 'unknown']);

const records = { node: new Map(), task: new Map(), incident: new Map() };
const cards = new Map();
const details = new Map();
const openTasks = new Set();
const freshTasks = new Set();
const dirty = new Set();
let filter = 'all';

const source = connect({
  status: ({ version }) => {
    byId('version').textContent = version;
    byId('gate').hidden = true;
    byId('board').hidden = false;
  },
  records: (kind, list) => {
    records[kind] = new Map(list.map((record) => [record.id, record]));
    redraw(kind);
  },
  record: (kind, record) => {
    if (kind === 'task' && !records.task.has(record.id)) freshTasks.add(record.id);
    if (kind === 'task' && openTasks.has(record.id)) void readDetail(record.id);
    if (kind === 'incident' && record.status !== 'open') records.incident.delete(record.id);
    else records[kind].set(record.id, record);
    redraw(kind);
  },
  removed: (kind, id) => {
    records[kind]?.delete(id);
    redraw(kind);
  },
  sample: (nodeId, sample) => cards.get(nodeId)?.setSample(sample),
  connection: (state) => {
    byId('connection').className = `connection ${state}`;
    byId('connection').lastElementChild.textContent = state === 'live' ? 'live' : 'reconnecting';
    if (state !== 'live' && records.node.size === 0)
      say('Waiting for the collector', 'It does not answer; this page goes on trying.');
  },
  locked: (isRefused) => {
    byId('board').hidden = true;
    byId('gate').hidden = false;
    byId('refusal').textContent = isRefused ? 'That token is not accepted.' : '';
    byId('connection').className = 'connection';
    byId('connection').lastElementChild.textContent = 'locked';
    say('Locked', 'Nothing is shown to strangers.');
    byId('token').focus();
  },
});

function redraw(kind) {
  if (dirty.size === 0) requestAnimationFrame(draw);
  dirty.add(kind);
}

function draw() {
  if (dirty.has('node')) drawNodes();
  if (dirty.has('task')) drawTasks();
  if (dirty.has('incident')) drawIncidents();
  dirty.clear();
  drawHeadline();
}

function drawHeadline() {
  const nodes = [...records.node.values()];
  const away = nodes.filter(({ status }) => status === 'offline').length;
  const troubled = nodes.filter(({ conditions }) => (conditions ?? []).some(({ status }) => status === 'true')).length;
  const running = [...records.task.values()].filter(({ status }) => status === 'running').length;
  const open = records.incident.size;
  const line = `${countText(nodes.length, 'node')}${away ? `, ${away} offline` : ''} · ${running === 0 ? 'no task running' : `${countText(running, 'task')} running`}`;
  if (nodes.length === 0)
    return say('Nobody is watching yet', 'Start an agent, and its node appears here within a second.');
  if (open > 0) return say(`${countText(open, 'open incident')}`, line);
  if (away > 0) return say(`${countText(away, 'node')} offline`, line);
  if (troubled > 0) return say(`${countText(troubled, 'node')} under pressure`, line);
  say('All is quiet', line);
}

function say(headline, subline) {
  if (byId('headline').textContent !== headline) byId('headline').textContent = headline;
  if (byId('subline').textContent !== subline) byId('subline').textContent = subline;
  document.title = headline === 'All is quiet' ? 'Runnerwatch' : `${headline} · Runnerwatch`;
}

function drawNodes() {
  const list = byId('node-list');
  const nodes = [...records.node.values()].toSorted(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
  for (const id of cards.keys()) if (!records.node.has(id)) cards.delete(id);
  for (const node of nodes) {
    if (!cards.has(node.id)) cards.set(node.id, createNodeCard());
    cards.get(node.id).setRecord(node);
  }
  byId('node-count').textContent = nodes.length > 1 ? nodes.length : '';
  if (nodes.length > 0)
    return place(
      list,
      nodes.map(({ id }) => cards.get(id).element),
    );
  list.replaceChildren(
    el(
      'p',
      { class: 'empty' },
      'No agent has spoken yet. To watch this machine too:',
      el('br'),
      el('code', { text: 'npx runnerwatch agent' }),
    ),
  );
}

const rank = ({ status }) => ({ offline: 0, draining: 2, stopped: 3, never_seen: 3 })[status] ?? 1;

/** Brings a list's children into this order, moving only those that are elsewhere. */
function place(list, elements) {
  elements.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild.remove();
}

const rows = new Map();

function drawTasks() {
  const tasks = [...records.task.values()].toSorted(newestFirst).slice(0, tasksShownMax);
  records.task = new Map(tasks.map((task) => [task.id, task]));
  const shown = tasks.filter(matchesFilter);
  for (const id of rows.keys()) if (!records.task.has(id)) rows.delete(id);
  byId('task-count').textContent =
    tasks.length === 0 ? '' : filter === 'all' ? tasks.length : `${shown.length} of ${tasks.length}`;
  if (shown.length > 0) return place(byId('task-list'), shown.map(rowOf));
  byId('task-list').replaceChildren(
    tasks.length === 0
      ? nothingYet()
      : el('p', { class: 'empty', text: filter === 'running' ? 'Nothing runs now.' : 'Every task ended well.' }),
  );
}

function nothingYet() {
  return el(
    'p',
    { class: 'empty' },
    'No task yet. Run one that fails, and see why it did:',
    el('br'),
    el('code', { text: "npx runnerwatch run -- sh -c 'exit 3'" }),
  );
}

/** A row is made anew only when its task, its detail or its openness changed. */
function rowOf(task) {
  const isOpen = openTasks.has(task.id);
  const detail = details.get(task.id);
  const known = rows.get(task.id);
  if (known && known.task === task && known.isOpen === isOpen && known.detail === detail) return known.element;
  const hadFocus = known?.element.contains(document.activeElement) === true;
  const element = taskRow(task, { isOpen, detail, isFresh: freshTasks.delete(task.id), toggle });
  rows.set(task.id, { task, isOpen, detail, element });
  if (known?.element.parentElement) known.element.replaceWith(element);
  if (hadFocus) element.querySelector('button').focus();
  return element;
}

function newestFirst(a, b) {
  if ((a.status === 'running') !== (b.status === 'running')) return a.status === 'running' ? -1 : 1;
  const [atA, atB] = a.status === 'running' ? [a.started_at, b.started_at] : [a.ended_at, b.ended_at];
  return (atB ?? '').localeCompare(atA ?? '') || a.id.localeCompare(b.id);
}

function matchesFilter({ status }) {
  if (filter === 'running') return status === 'running';
  return filter === 'all' || notWell.has(status);
}

function toggle(id) {
  if (openTasks.delete(id)) details.delete(id);
  else {
    openTasks.add(id);
    void readDetail(id);
  }
  redraw('task');
}

async function readDetail(id) {
  try {
    details.set(id, await source.readTask(id));
  } catch {
    /* What the listing said stays on show; opening it again asks again. */
    return;
  }
  redraw('task');
}

function drawIncidents() {
  const open = [...records.incident.values()].toSorted((a, b) => (b.opened_at ?? '').localeCompare(a.opened_at ?? ''));
  byId('incidents').hidden = open.length === 0;
  byId('incident-list').replaceChildren(...open.map(incidentElement));
}

function incidentElement({
  title,
  severity,
  opened_at: openedAt,
  acknowledged_at: acknowledgedAt,
  acknowledged_by: by,
  acknowledge_note: note,
  alerts,
}) {
  const reasons = (alerts ?? []).filter(({ status }) => status === 'firing').map(({ reason }) => reason);
  const acknowledged = acknowledgedAt ? `${by ?? 'Someone'} is on it${note ? `: ${note}` : ''}` : null;
  return el(
    'article',
    { class: `incident ${severity}` },
    el('h3', { text: title }),
    ago(openedAt, agoText),
    reasons.length > 0 && reasons[0] !== title ? el('p', { text: [...new Set(reasons)].join(' · ') }) : null,
    acknowledged ? el('p', { text: acknowledged }) : null,
  );
}

byId('filter').addEventListener('click', ({ target }) => {
  const chosen = target.closest('button')?.dataset.filter;
  if (chosen === undefined) return;
  filter = chosen;
  for (const button of byId('filter').children)
    button.setAttribute('aria-pressed', String(button.dataset.filter === filter));
  redraw('task');
});

byId('gate').addEventListener('submit', (event) => {
  event.preventDefault();
  source.unlock(byId('token').value.trim());
});

setInterval(() => {
  refreshTimes(document, agoText);
  for (const element of document.querySelectorAll('[data-running-since]'))
    element.textContent = durationText(Date.now() - Date.parse(element.dataset.runningSince));
}, 1000);
