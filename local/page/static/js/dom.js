// Makes elements, and brings what is shown up to date without losing focus, scroll or selection.

/** Return an element. props: `on…` handlers, `style` and `spec` are properties, all else attributes; null and false are left out. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) put(element, name, value);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Return the element of the page that has an id. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}".`);
  return found;
}

const SVG = "http://www.w3.org/2000/svg";

/** Return an SVG element; every prop is an attribute. */
export function svg(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function put(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on") || name === "spec") element[name] = value;
  else if (name === "style")
    for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Make the children of `shown` like those of `fresh`; elements with the same data-key, or place and name, stay. */
export function morph(shown, fresh) {
  const keyed = new Map(
    [...shown.children].filter((child) => child.dataset?.key).map((child) => [child.dataset.key, child]),
  );
  let next = shown.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.dataset?.key;
    const kept = key
      ? keyed.get(key)
      : next && !next.dataset?.key && next.nodeName === wanted.nodeName
        ? next
        : null;
    if (!kept || kept.nodeName !== wanted.nodeName) {
      shown.insertBefore(wanted, next);
      continue;
    }
    if (kept === next) next = next.nextSibling;
    else shown.insertBefore(kept, next);
    update(kept, wanted);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

const HANDLERS = ["onclick", "onchange", "oninput", "onsubmit", "ontoggle"];
// What people change themselves: a refresh leaves it as they have it.
const THEIRS = new Set(["open", "value", "checked"]);

function update(kept, wanted) {
  if (kept.nodeType !== Node.ELEMENT_NODE) {
    if (kept.data !== wanted.data) kept.data = wanted.data;
    return;
  }
  for (const { name, value } of [...wanted.attributes])
    if (name !== "style" && !THEIRS.has(name) && kept.getAttribute(name) !== value)
      kept.setAttribute(name, value);
  for (const { name } of [...kept.attributes])
    if (name !== "style" && !THEIRS.has(name) && !wanted.hasAttribute(name)) kept.removeAttribute(name);
  if (kept.style.cssText !== wanted.style.cssText) kept.style.cssText = wanted.style.cssText;
  for (const name of HANDLERS) kept[name] = wanted[name];
  if (kept.localName.includes("-")) kept.spec = wanted.spec;
  else if (kept.localName !== "textarea") morph(kept, wanted);
}
