// The visualizations of a workbook's queries, from a table {columns, rows}.
import { chart } from "../chart.js";
import { colour } from "../chart_words.js";
import { h, svg } from "../dom.js";
import { scrolls } from "../parts.js";
import { numeric, shown, toneOf, writer } from "./cells.js";
import { table } from "./grid.js";

const KINDS = {
  timechart: "line",
  linechart: "line",
  areachart: "area",
  barchart: "bar",
  unstackedbar: "bar",
};
const HEIGHTS = { 1: 160, 0: 230, 2: 330, 3: 330, 4: 130 };

/** Return what a query item shows. context: {range, pick(row)}. */
export function visual(content, found, context) {
  const { visualization = "table" } = content;
  if (visualization in KINDS) return overTime(content, found, context);
  if (visualization === "categoricalbar") return bars(content, found);
  if (visualization === "piechart") return pie(content, found);
  if (visualization === "tiles") return tiles(content, found);
  return table(content, found, context);
}

const place = ({ columns }, name) => columns.findIndex((column) => column.name === name);

/** The column of times, the columns of numbers, and the column whose values are series; from the settings, else by type. */
function roles(settings, { columns }) {
  const numbers = columns
    .filter(({ type }) => ["real", "long", "int", "decimal"].includes(type))
    .map(({ name }) => name);
  const x = settings.xAxis ?? columns.find(({ type }) => type === "datetime")?.name ?? columns[0].name;
  const group =
    settings.group ??
    (settings.yAxis ? undefined : columns.find(({ type, name }) => type === "string" && name !== x)?.name);
  return { x, y: settings.yAxis ?? numbers, group };
}

function overTime({ title, visualization, chartSettings, size = 0 }, found, { range }) {
  const settings = chartSettings ?? {};
  const { x, y, group } = roles(settings, found);
  const [xAt, groupAt] = [place(found, x), group ? place(found, group) : -1];
  const times = [...new Set(found.rows.map((row) => row[xAt]))].sort();
  const places = Object.fromEntries(times.map((at, i) => [at, i]));
  const series = new Map();
  for (const row of found.rows)
    for (const column of y) {
      const name =
        groupAt < 0 ? column : y.length > 1 ? `${row[groupAt]} ${column}` : row[groupAt] || "(none)";
      if (!series.has(name)) series.set(name, Array(times.length).fill(null));
      series.get(name)[places[row[xAt]]] = numeric(row[place(found, column)]);
    }
  const kind = KINDS[visualization];
  const limits = settings.customThresholdLine
    ? [{ name: "threshold", value: Number(settings.customThresholdLine) }]
    : [];
  return chart({
    label: title,
    kind,
    stacked: ["areachart", "barchart"].includes(visualization),
    limits,
    height: HEIGHTS[size],
    times: times.map((at) => Date.parse(at) / 1000),
    series: withOther(series, settings.createOtherGroup),
    format: writer(settings.ySettings?.numberFormatSettings),
    from: range ? range.start / 1000 : undefined,
    to: range ? range.end / 1000 : undefined,
  });
}

const total = (values) => values.reduce((sum, value) => sum + (value ?? 0), 0);

/** The largest series, and the sum of the others. */
function withOther(series, most = 10) {
  const all = [...series].map(([name, values]) => ({ name, values }));
  if (all.length <= most) return all;
  const [largest, rest] = [
    all.toSorted((one, other) => total(other.values) - total(one.values)).slice(0, most),
    new Set(all),
  ];
  for (const one of largest) rest.delete(one);
  const values = all[0].values.map((_, i) => total([...rest].map((one) => one.values[i])));
  return [...largest, { name: `Other (${rest.size})`, values }];
}

/** [{name, values: [number per y]}] of categories, largest first; those with one name are added. */
function categories(settings, found) {
  const { x, y } = roles(settings, found);
  const sums = new Map();
  for (const row of found.rows) {
    const name = String(row[place(found, x)] || "(none)");
    const values = y.map((column) => numeric(row[place(found, column)]) ?? 0);
    sums.set(
      name,
      (sums.get(name) ?? values.map(() => 0)).map((sum, i) => sum + values[i]),
    );
  }
  return {
    y,
    all: [...sums]
      .map(([name, values]) => ({ name, values }))
      .toSorted((one, other) => total(other.values) - total(one.values)),
  };
}

function bars({ title, chartSettings }, found) {
  const settings = chartSettings ?? {};
  const { y, all } = categories(settings, found);
  const write = writer(settings.ySettings?.numberFormatSettings);
  const most = Math.max(...all.flatMap(({ values }) => values), Number.MIN_VALUE);
  const bar = (value, i) =>
    h(
      "span",
      {
        class: "rank",
        style: { "--w": `${(100 * value) / most}%`, "--c": `var(${colour(i)})` },
        title: value,
      },
      write(value),
    );
  const row = ({ name, values }) =>
    h(
      "tr",
      { "data-key": name },
      h("th", { scope: "row" }, name),
      values.map((value, i) => h("td", {}, bar(value, i))),
    );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, settings.xAxis ?? "name"),
    y.map((column) => h("th", { scope: "col" }, column)),
  );
  return scrolls(
    title,
    h(
      "table",
      { class: "ranking" },
      h("caption", { class: "hidden" }, title),
      h("thead", {}, head),
      h("tbody", {}, all.slice(0, settings.createOtherGroup ?? 20).map(row)),
    ),
  );
}

const SLICES = 6;
const ROUND = 2 * Math.PI;

function pie({ title, chartSettings }, found) {
  const settings = chartSettings ?? {};
  const { all } = categories(settings, found);
  const kept = all.slice(0, SLICES - 1);
  const rest = all.slice(SLICES - 1);
  const slices = [
    ...kept,
    ...(rest.length
      ? [{ name: `Other (${rest.length})`, values: [total(rest.map(({ values }) => values[0]))] }]
      : []),
  ].map(({ name, values }) => ({ name, value: values[0] }));
  const whole = total(slices.map(({ value }) => value));
  const write = writer(settings.ySettings?.numberFormatSettings);
  const share = (value) => (whole ? value / whole : 0);
  let turned = 0;
  const arc = ({ value }, i) => {
    const part = svg("circle", {
      r: 40,
      cx: 60,
      cy: 60,
      fill: "none",
      "stroke-width": 22,
      class: `slice${i}`,
      "stroke-dasharray": `${share(value) * 40 * ROUND} ${40 * ROUND}`,
      "stroke-dashoffset": -turned * 40 * ROUND,
      transform: "rotate(-90 60 60)",
    });
    turned += share(value);
    return part;
  };
  const row = ({ name, value }, i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "sliced", style: { "--c": `var(${colour(i)})` } }, name),
      h("td", { class: "n", title: value }, write(value)),
      h("td", { class: "n" }, `${(100 * share(value)).toFixed(1)} %`),
    );
  const drawn = svg(
    "svg",
    { viewBox: "0 0 120 120", class: "pie", "aria-hidden": "true" },
    ...slices.map(arc),
  );
  return h(
    "div",
    { class: "with-pie" },
    drawn,
    scrolls(
      title,
      h(
        "table",
        {},
        h("caption", { class: "hidden" }, title),
        h(
          "thead",
          { class: "hidden" },
          h(
            "tr",
            {},
            ["name", "value", "share"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h("tbody", {}, slices.map(row)),
      ),
    ),
  );
}

/** One tile a row; which column stands where is in the settings. */
function tiles({ title: ofPanel, tileSettings: settings = {} }, found) {
  const part = (row, name) => {
    const rule = settings[name];
    const column = rule
      ? found.columns.findIndex(
          ({ name: own }) => own === rule.columnMatch || new RegExp(`^(?:${rule.columnMatch})$`).test(own),
        )
      : -1;
    return column < 0
      ? null
      : { rule, value: row[column], node: shown(row[column], found.columns[column].type, rule) };
  };
  const tile = (row) => {
    const [title, subtitle, left, right, second] = [
      "titleContent",
      "subtitleContent",
      "leftContent",
      "rightContent",
      "secondaryContent",
    ].map((name) => part(row, name));
    const note = (one) => one && h("dd", { class: "note" }, one.node);
    return h(
      "div",
      { class: `tile ${left ? toneOf(left.value, left.rule) : ""}` },
      h("dt", { class: title?.node === ofPanel ? "hidden" : null }, title?.node ?? ""),
      left && h("dd", { class: "figure" }, left.node),
      note(subtitle),
      note(right),
      note(second),
    );
  };
  return h("dl", { class: "tiles" }, found.rows.map(tile));
}
