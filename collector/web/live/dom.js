/** An element; children are elements or text, never markup. Empty children are left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') element.textContent = visible(value);
    else if (name === 'class') element.className = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false || child === '') continue;
    element.append(typeof child === 'object' ? child : visible(child));
  }
  return element;
}

/** Controls and marks that turn the direction of writing would let a task's name rewrite its row. */
export function visible(text) {
  return String(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  );
}

/** A text that says how long ago, kept right by `refreshTimes`. */
export function ago(instant, words, attributes = {}) {
  return el('time', {
    ...attributes,
    datetime: instant,
    'data-ago': instant,
    title: instant,
    text: words(instant, Date.now()),
  });
}

export function refreshTimes(root, words) {
  const now = Date.now();
  for (const element of root.querySelectorAll('[data-ago]')) {
    const text = words(element.dataset.ago, now);
    if (element.textContent !== text) element.textContent = text;
  }
}
