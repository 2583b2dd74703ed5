// A workbook's grid: formatters, thresholds, a filter, sorting, rows that set parameters.
import { h } from "../dom.js";
import { empty, scrolls } from "../parts.js";
import { numeric, ruleOf, shown, toneOf } from "./cells.js";
import { FORMATTERS } from "./features.js";

const BARS = [FORMATTERS.BAR, FORMATTERS.BAR_UNDER];
const ROWS = 250;
const NUMBERS = ["real", "long", "int", "decimal"];

/** context: {pick(row) or null, isPicked(row), state: {filter, sort} kept between refreshes, redraw()}. */
export function table({ title, gridSettings }, found, context) {
  const settings = gridSettings ?? {};
  const labels = new Map((settings.labelSettings ?? []).map(({ columnId, label }) => [columnId, label]));
  const columns = found.columns
    .map((column, at) => ({
      ...column,
      at,
      rule: ruleOf(settings.formatters, column.name),
      label: labels.get(column.name) ?? column.name,
    }))
    .filter(({ rule }) => rule?.formatter !== FORMATTERS.HIDDEN);
  const most = new Map(
    columns.map(({ at }) => [
      at,
      Math.max(...found.rows.map((row) => numeric(row[at]) ?? 0), Number.MIN_VALUE),
    ]),
  );
  const { state } = context;
  const kept = sorted(
    filtered(found.rows, columns, state.filter),
    state.sort ?? firstSort(settings, columns),
  );
  const head = h(
    "tr",
    {},
    columns.map((column) => heading(column, state, context.redraw)),
  );
  const body = kept.slice(0, Math.min(settings.rowLimit ?? ROWS, ROWS)).map((row) =>
    h(
      "tr",
      { class: context.isPicked(row) ? "picked" : null },
      columns.map((column, i) => cell(row, column, most, i === 0 && context.pick ? context : null)),
    ),
  );
  const count =
    found.rows.length > ROWS
      ? h("p", { class: "soft" }, `${Math.min(kept.length, ROWS)} of ${found.rows.length} rows`)
      : null;
  return h(
    "div",
    {},
    settings.filter && found.rows.length > 8 ? search(title, state, context.redraw) : null,
    kept.length
      ? scrolls(
          title,
          h(
            "table",
            {},
            h("caption", { class: "hidden" }, title),
            h("thead", {}, head),
            h("tbody", {}, body),
          ),
        )
      : empty("No row has that text."),
    count,
  );
}

function search(title, state, redraw) {
  const type = ({ target }) => {
    state.filter = target.value.toLowerCase();
    redraw();
  };
  return h("input", {
    type: "search",
    class: "filter",
    placeholder: "Filter rows",
    "aria-label": `Filter rows of ${title}`,
    value: state.filter,
    oninput: type,
  });
}

const filtered = (rows, columns, text) =>
  text
    ? rows.filter((row) =>
        columns.some(({ at }) =>
          String(row[at] ?? "")
            .toLowerCase()
            .includes(text),
        ),
      )
    : rows;

const firstSort = ({ sortBy: [first] = [] }, columns) =>
  first ? { at: columns.find(({ name }) => name === first.itemKey)?.at, down: first.sortOrder === 2 } : null;

function sorted(rows, sort) {
  if (sort?.at === undefined) return rows;
  const compare = (one, other) => {
    const [size, against] = [numeric(one), numeric(other)];
    return size !== null && against !== null
      ? size - against
      : String(one ?? "").localeCompare(String(other ?? ""));
  };
  return rows.toSorted((one, other) => (sort.down ? -1 : 1) * compare(one[sort.at], other[sort.at]));
}

function heading({ at, label, type }, state, redraw) {
  const isBy = state.sort?.at === at;
  const press = () => {
    state.sort = { at, down: isBy ? !state.sort.down : NUMBERS.includes(type) };
    redraw();
  };
  const order = isBy ? (state.sort.down ? "descending" : "ascending") : null;
  return h(
    "th",
    { scope: "col", class: NUMBERS.includes(type) ? "n" : null, "aria-sort": order },
    h(
      "button",
      { type: "button", class: "sort", onclick: press },
      label,
      h("span", { "aria-hidden": "true" }, order ? (state.sort.down ? " ↓" : " ↑") : ""),
    ),
  );
}

function cell(row, { at, type, rule, label }, most, picking) {
  const value = row[at];
  const tone = toneOf(value, rule);
  const size = numeric(value);
  let node = shown(value, type, rule);
  if (BARS.includes(rule?.formatter) && size !== null)
    node = h(
      "span",
      { class: "share", style: { "--w": `${Math.max(0, (100 * size) / most.get(at))}%` } },
      h("span", {}, node),
    );
  else if (tone) node = h("span", { class: `badge ${tone}` }, node);
  if (picking)
    node = h(
      "button",
      {
        type: "button",
        class: "pick",
        "aria-pressed": String(picking.isPicked(row)),
        "aria-label": `${label} ${value || "(none)"}: show more`,
        onclick: () => picking.pick(row),
      },
      node,
    );
  return h("td", { class: NUMBERS.includes(type) ? "n" : null }, node);
}
