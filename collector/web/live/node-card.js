import { ago, el } from './dom.js';
import { agoText, bytesText, dash, percentText, statusText } from './words.js';

/* One node. The card stays; its parts are replaced when they change, the meters move. */

const thresholds = { memory: 90, disk: 90, loadPerCore: 2 };

export function createNodeCard() {
  const parts = {
    name: el('h3'),
    state: el('span'),
    about: el('p', { class: 'about' }),
    firing: el('ul', { class: 'firing' }),
    sources: el('details', { class: 'sources' }),
  };
  const meters = {
    cpu: createMeter('CPU', null),
    memory: createMeter('Memory', thresholds.memory),
    load: createMeter('Load', 50),
    disk: createMeter('Disk', thresholds.disk),
  };
  const element = el(
    'article',
    { class: 'node' },
    el('header', {}, parts.name, parts.state),
    parts.about,
    el(
      'div',
      { class: 'meters' },
      Object.values(meters).map((meter) => meter.element),
    ),
    parts.firing,
    parts.sources,
  );
  let node;
  let sample = null;

  const drawMeters = () => {
    for (const [name, reading] of Object.entries(readings(sample, node?.inventory))) meters[name].set(reading);
    const isStale = node?.status !== 'online' && node?.status !== 'draining';
    element.classList.toggle('stale', isStale || sample === null);
  };
  return {
    element,
    setSample: (next) => {
      sample = next;
      drawMeters();
    },
    setRecord: (next) => {
      node = next;
      if (next.sample && (sample === null || next.sample.at > sample.at)) sample = next.sample;
      parts.name.textContent = next.name;
      parts.state.className = `state status ${next.status}`;
      parts.state.replaceChildren(stateText(next));
      const about = aboutText(next);
      parts.about.textContent = about;
      parts.about.title = [about, next.agent_version ? `agent ${next.agent_version}` : ''].filter(Boolean).join(' · ');
      drawConditions(parts.firing, next.conditions ?? []);
      element.classList.toggle(
        'troubled',
        next.status === 'offline' || (next.conditions ?? []).some(({ status }) => status === 'true'),
      );
      drawSources(parts.sources, next.sources ?? []);
      drawMeters();
    },
  };
}

function stateText(node) {
  if (node.status === 'online' || node.status === 'draining') return el('span', { text: statusText(node.status) });
  return el('span', {}, `${statusText(node.status)}, heard `, ago(node.last_heard_at, agoText));
}

function aboutText({ inventory }) {
  const facts = [
    inventory?.os,
    inventory?.cpu_count ? `${inventory.cpu_count} cores` : null,
    inventory?.memory_total_bytes ? bytesText(inventory.memory_total_bytes) : null,
  ];
  return facts.filter(Boolean).join(' · ');
}

function drawConditions(list, conditions) {
  const shown = conditions.filter(({ status }) => status !== 'false');
  list.replaceChildren(
    ...shown.map(({ condition, status, reason }) =>
      el(
        'li',
        { class: status === 'true' ? null : 'unsure' },
        el('b', { text: condition }),
        status === 'true' ? reason : `not known: ${reason}`,
      ),
    ),
  );
  list.hidden = shown.length === 0;
}

/** What the agent hears from, and why not, in a sentence that opens into a list. */
function drawSources(details, sources) {
  details.hidden = sources.length === 0;
  const seeing = sources.filter(({ state }) => state === 'seeing');
  const troubled = sources.filter(({ state }) => state === 'degraded' || state === 'blind');
  const says = [
    seeing.length === 0 ? 'Sees no task source' : `Sees ${seeing.map(({ name }) => name).join(', ')}`,
    troubled.length === 0 ? null : `${troubled.length} limited`,
  ]
    .filter(Boolean)
    .join(' · ');
  const rows = sources.map(({ name, state, reason }) =>
    el(
      'li',
      { class: state },
      el('i'),
      el(
        'div',
        {},
        name,
        el('span', {
          text: state === 'seeing' ? '' : ` ${state === 'off' ? 'is off' : state}${reason ? `: ${reason}` : ''}`,
        }),
      ),
    ),
  );
  details.replaceChildren(el('summary', {}, el('span', { text: says })), el('ul', {}, rows));
}

function createMeter(label, limitPercent) {
  const fill = el('div', { class: 'fill' });
  const limit = limitPercent === null ? null : el('div', { class: 'limit' });
  if (limit) limit.style.left = `${limitPercent}%`;
  const value = el('span');
  const track = el(
    'div',
    { class: 'track', role: 'meter', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100' },
    fill,
    limit,
  );
  const element = el('div', { class: 'meter' }, el('span', { text: label }), track, value);
  return {
    element,
    set: ({ percent, text, beside, isOver }) => {
      const isRead = percent !== null;
      element.classList.toggle('unread', !isRead);
      element.classList.toggle('over', isOver);
      fill.style.width = isRead ? `${Math.min(100, Math.max(percent > 0 ? 1 : 0, percent))}%` : '0';
      track.setAttribute('aria-valuenow', isRead ? Math.round(percent) : '');
      track.setAttribute('aria-valuetext', text);
      value.replaceChildren(text, beside ? el('small', { text: beside }) : '');
    },
  };
}

const unread = { percent: null, text: dash, beside: '', isOver: false };

function readings(sample, inventory) {
  if (sample === null) return { cpu: unread, memory: unread, load: unread, disk: unread };
  return {
    cpu: cpuReading(sample),
    memory: memoryReading(sample),
    load: loadReading(sample, inventory),
    disk: diskReading(sample),
  };
}

function cpuReading({ cpu_percent: percent }) {
  return typeof percent === 'number' ? { percent, text: percentText(percent), beside: '', isOver: false } : unread;
}

function memoryReading({ memory_total_bytes: total, memory_available_bytes: available }) {
  if (!total || typeof available !== 'number') return unread;
  const percent = 100 * (1 - available / total);
  return { percent, text: percentText(percent), beside: `of ${bytesText(total)}`, isOver: percent > thresholds.memory };
}

/** The bar is full at twice the threshold, so that the mark of the threshold is in its middle. */
function loadReading({ load1, cpu_count: count }, inventory) {
  const cores = count ?? inventory?.cpu_count;
  if (typeof load1 !== 'number' || !cores) return unread;
  return {
    percent: (100 * load1) / (2 * thresholds.loadPerCore * cores),
    text: load1.toFixed(2),
    beside: `${cores} cores`,
    isOver: load1 > thresholds.loadPerCore * cores,
  };
}

function diskReading({ disks }) {
  const fullest = (disks ?? []).toSorted((a, b) => b.used_percent - a.used_percent)[0];
  if (!fullest) return unread;
  return {
    percent: fullest.used_percent,
    text: percentText(fullest.used_percent),
    beside: fullest.mount.length > 14 ? `…${fullest.mount.slice(-13)}` : fullest.mount,
    isOver: fullest.used_percent > thresholds.disk,
  };
}
