// Walks the items of a workbook: what is visible, what it asks, how it is laid out.
import { table } from "../ask.js";
import { h } from "../dom.js";
import { empty, slug, trouble } from "../parts.js";
import { conditions, lacking } from "./features.js";
import { markdown } from "./markdown.js";
import { span } from "./parameters.js";
import { substitute } from "./substitute.js";
import { visual } from "./visuals.js";

export const [TEXT, QUERY, PARAMETERS, LINKS, GROUP] = [1, 3, 9, 11, 12];
const AT_ONCE = 4;

/** Yield every item, groups and what is in them. */
export function* every(items) {
  for (const item of items) {
    yield item;
    if (item.type === GROUP) yield* every(item.content.items);
  }
}

/** Tell whether an item's conditions hold. */
export function isVisible(item, values) {
  return conditions(item).every(
    ({ parameterName, comparison, value = "" }) =>
      ((values[parameterName]?.text ?? "") === value) === (comparison === "isEqualTo"),
  );
}

/** Yield the items that can be seen. */
export function* visible(items, values) {
  for (const item of items)
    if (isVisible(item, values)) {
      yield item;
      if (item.type === GROUP && !lacking(item).length) yield* visible(item.content.items, values);
    }
}

/** Return item → {value} or {error} of every visible query, some at a time. */
export async function answers(items, values, signal) {
  const waiting = [...visible(items, values)].filter((item) => item.type === QUERY && !lacking(item).length);
  const found = new Map();
  const work = async () => {
    for (let item = waiting.shift(); item; item = waiting.shift())
      found.set(item, await answer(item.content, values, signal));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

async function answer({ query, timeContextFromParameter: name }, values, signal) {
  try {
    return { value: await table(substitute(query, values), name ? span(values[name]) : null, signal) };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return { error };
  }
}

/** Draw items. world: {values, found, stateOf(item), redraw(), choose({name: text}), controls(item), given}. */
export function draw(items, world) {
  return items
    .filter((item) => isVisible(item, world.values))
    .map((item) => {
      const missing = lacking(item);
      const content = missing.length ? cannot(item, missing) : DRAWN[item.type](item, world);
      const width = { "--span": Math.max(1, Math.round(Number(item.customWidth ?? 100) * 0.6)) };
      return h(
        "div",
        { class: `item type${item.type}`, style: width, "data-key": slug(item.name), "data-item": item.name },
        content,
      );
    });
}

const cannot = ({ name }, missing) =>
  h(
    "div",
    { class: "panel lacking" },
    h("h3", {}, name),
    trouble(
      new Error(
        `This page lacks ${[...new Set(missing)].join(", ")}. The portal shows it; local/page/static/js/workbook/features.js lists what is known here.`,
      ),
    ),
  );

const DRAWN = {
  [TEXT]: ({ content }, { values }) =>
    h("div", { class: "text" }, markdown(substitute(content.json, values))),
  [PARAMETERS]: (item, { controls }) => controls(item),
  [LINKS]: ({ content }, { values, choose }) =>
    h(
      "div",
      { class: "tabs", role: "group" },
      content.links.map(({ cellValue, subTarget, linkLabel }) =>
        h(
          "button",
          {
            type: "button",
            class: "tab",
            "aria-pressed": String(values[cellValue]?.text === subTarget),
            onclick: () => choose({ [cellValue]: subTarget }),
          },
          linkLabel,
        ),
      ),
    ),
  [GROUP]: ({ content }, world) =>
    h(
      "div",
      { class: "items" },
      content.title && h("h3", {}, substitute(content.title, world.values)),
      draw(content.items, world),
    ),
  [QUERY]: query,
};

function query(item, world) {
  const { content } = item;
  const part = world.found.get(item);
  const title = substitute(content.title ?? item.name, world.values);
  const body = !part
    ? empty("Loading …")
    : part.error
      ? trouble(part.error)
      : part.value.rows.length
        ? visual({ ...content, title }, part.value, contextOf(item, part.value, world))
        : empty(content.noDataMessage ?? "No data in this time.");
  return h(
    "section",
    { class: "panel", "aria-label": title },
    h("header", {}, h("h4", {}, title)),
    body,
    part?.value?.partial &&
      h("p", { class: "warn" }, "More rows than one answer holds: some are left out. Narrow the time."),
  );
}

/** What a visualization needs to know beside its table; a row is picked where the item exports parameters. */
function contextOf(item, { columns }, world) {
  const exported = exports(item.content);
  const cellsOf = (row) =>
    Object.fromEntries(
      exported.map(({ fieldName, parameterName }) => [
        parameterName,
        String(row[columns.findIndex(({ name }) => name === fieldName)] ?? ""),
      ]),
    );
  const isPicked = (row) =>
    exported.length > 0 &&
    Object.entries(cellsOf(row)).every(([name, text]) => world.given.get(name) === text);
  const off = Object.fromEntries(exported.map(({ parameterName }) => [parameterName, null]));
  const { range } =
    world.values[item.content.timeContextFromParameter] ??
    Object.values(world.values).find((value) => value.range) ??
    {};
  return {
    range,
    state: world.stateOf(item),
    redraw: world.redraw,
    isPicked,
    pick: exported.length ? (row) => world.choose(isPicked(row) ? off : cellsOf(row)) : null,
  };
}

/** The parameters that an item's rows set, of either way to write them. */
export function exports({
  exportedParameters,
  exportFieldName,
  exportParameterName,
  exportDefaultValue = "",
}) {
  const one = exportParameterName
    ? [{ fieldName: exportFieldName, parameterName: exportParameterName, defaultValue: exportDefaultValue }]
    : [];
  return [...(exportedParameters ?? []), ...one];
}
