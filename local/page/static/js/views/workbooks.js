// The workbooks, drawn from the same JSON that the portal gets.
import { ask } from "../ask.js";
import { h } from "../dom.js";
import { empty } from "../parts.js";
import { go, href } from "../route.js";
import { lacking } from "../workbook/features.js";
import { answers, draw, every, exports, LINKS, PARAMETERS, QUERY } from "../workbook/items.js";
import { controls, resolve } from "../workbook/parameters.js";

const SMALL = new Set(["and", "of"]);
const titled = (name) =>
  name
    .split("-")
    .map((word) => (SMALL.has(word) ? word : word[0].toUpperCase() + word.slice(1)))
    .join(" ");

export const title = () => "Workbooks";
export const every_s = 30;

const states = new WeakMap();
const read = new Map();

/** A workbook is read once: its items are the keys of what is kept of them. */
async function workbook(name, signal) {
  if (!read.has(name)) read.set(name, await ask(`/workbooks/${encodeURIComponent(name)}`, { signal }));
  return read.get(name);
}

export async function load({ rest: [wanted], params }, signal) {
  const names = await ask("/workbooks", { signal });
  const name = wanted ?? names[0];
  if (!name) return { names };
  const { items } = await workbook(name, signal);
  const all = [...every(items)].filter((item) => !lacking(item).length);
  const parameters = all
    .filter(({ type }) => type === PARAMETERS)
    .flatMap(({ content }) => content.parameters);
  const resolved = await resolve(parameters, params, Date.now(), signal);
  for (const { content } of all.filter(({ type }) => type === QUERY))
    for (const { parameterName, defaultValue } of exports(content))
      resolved.values[parameterName] = plain(params.get(parameterName) ?? defaultValue);
  for (const { content } of all.filter(({ type }) => type === LINKS))
    for (const { cellValue } of content.links)
      resolved.values[cellValue] = plain(params.get(cellValue) ?? content.links[0].subTarget);
  return { names, name, items, resolved, found: await answers(items, resolved.values, signal) };
}

const plain = (text) => ({ text, label: text });

export function render({ names, name, items, resolved, found }, { params }, _refresh, redraw) {
  if (!name)
    return empty(
      "No workbook yet. `make generated` writes them to infra/workbooks/ from dashboards/panels/.",
    );
  const choose = (changes) => go(`/workbooks/${name}`, { ...Object.fromEntries(params), ...changes });
  const stateOf = (item) => states.get(item) ?? states.set(item, { filter: "" }).get(item);
  const world = {
    ...resolved,
    found,
    given: params,
    stateOf,
    redraw,
    choose,
    controls: ({ content }) =>
      controls(content.parameters, resolved, (parameter, text) => choose({ [parameter]: text })),
  };
  const link = (one) =>
    h("a", { href: href(`/workbooks/${one}`), "aria-current": one === name ? "page" : null }, titled(one));
  return [
    h("nav", { class: "tabs", "aria-label": "Workbooks" }, names.map(link)),
    h("div", { class: "items workbook", "data-workbook": name, "data-key": name }, draw(items, world)),
  ];
}
