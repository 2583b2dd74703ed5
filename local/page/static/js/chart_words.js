// What a chart says in words: its legend, its summary, its table.
import { h } from "./dom.js";
import { time } from "./format.js";

const ROWS = 500;
const COLOURS = 8;

/** The colour of a series by its place; after eight they come again, dashed. */
export const colour = (place) => `--s${place % COLOURS}`;
export const dash = (place) => [undefined, [6, 3], [2, 3]][Math.min(2, Math.floor(place / COLOURS))];
const known = (values) => values.filter((value) => value !== null && value !== undefined);

export function legend({ series, format, limits, marks }) {
  const item = ({ name, values, colour: own }, place) => {
    const last = known(values).at(-1);
    return h(
      "li",
      { style: { "--c": `var(${own ?? colour(place)})` } },
      name,
      h("b", { title: "latest" }, last === undefined ? "–" : format(last)),
    );
  };
  const limit = ({ name, value }) => h("li", { class: "limit" }, name, h("b", {}, format(value)));
  const mark = ({ name, at, tone }) =>
    h(
      "li",
      { class: "mark", style: { "--c": `var(${tone ?? "--soft"})` } },
      name,
      h("b", {}, time(new Date(at * 1000).toISOString())),
    );
  return h("ul", { class: "legend" }, ...series.map(item), ...limits.map(limit), ...marks.map(mark));
}

/** One sentence for those who do not see the chart. */
export function summary({ label, times, series, format }) {
  if (!times.length) return `${label}: no data.`;
  const [first, last] = [times[0], times.at(-1)].map((at) =>
    new Date(at * 1000).toLocaleString([], { hourCycle: "h23" }),
  );
  const said = series.slice(0, 8).map(({ name, values }) => {
    const all = known(values);
    return all.length
      ? `${name} from ${format(Math.min(...all))} to ${format(Math.max(...all))}, now ${format(all.at(-1))}`
      : `${name} without values`;
  });
  return `Chart ${label}, ${first} to ${last}: ${said.join("; ")}. A table follows.`;
}

/** The same numbers, made when they are opened. */
export function tableOf(spec, isOpen) {
  const body = h("div", {
    class: "scroll",
    role: "group",
    tabindex: "0",
    "aria-label": `Table of ${spec.label}`,
  });
  const fill = () => body.replaceChildren(drawn(spec));
  const details = h(
    "details",
    { ontoggle: (event) => event.target.open && fill() },
    h("summary", {}, "Table"),
    body,
  );
  if (isOpen) {
    details.open = true;
    fill();
  }
  return details;
}

function drawn({ label, times, series, format }) {
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "time"),
    series.map(({ name }) => h("th", { scope: "col", class: "n" }, name)),
  );
  const cell = (value) =>
    h(
      "td",
      { class: "n", title: value ?? null },
      value === null || value === undefined ? "–" : format(value),
    );
  const places = times
    .map((_, i) => i)
    .slice(-ROWS)
    .reverse();
  const rows = places.map((i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, new Date(times[i] * 1000).toLocaleString([], { hourCycle: "h23" })),
      series.map(({ values }) => cell(values[i])),
    ),
  );
  return h("table", {}, h("caption", { class: "hidden" }, label), h("thead", {}, head), h("tbody", {}, rows));
}
