// The chart, the rows, the movers and the calls of the Costs view.
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { int, money, percent, plural, seconds, short, time, usd } from "../format.js";
import { badge, empty, grid, turning } from "../parts.js";
import { href } from "../route.js";
import { CALLS, callsOfRow, narrowed, ROWS, without } from "./costs_state.js";
import { workOf } from "./work.js";

const SERIES = 8;
const NONE = "No model call in this time.";

const nameOf = (row, by) => by.map((name) => row[name] ?? "(none)").join(" / ");

/** How much more or less than before, in words. */
export function change({ change_usd, change_percent, trend }) {
  if (trend === "new" || trend === "gone") return trend;
  if (change_usd === null || change_usd === undefined) return "not comparable";
  const sign = change_usd > 0 ? "+" : "";
  return `${sign}${usd(change_usd)}${change_percent === null ? "" : `, ${sign}${percent(change_percent)}`}`;
}

/** The dearest rows of each step, and all others in one. */
export function overTime(bill, { by }) {
  if (!bill.rows.length) return empty(NONE);
  const shown =
    bill.sort === "name" ? bill.rows : bill.rows.toSorted((a, b) => (b.cost_usd ?? 0) - (a.cost_usd ?? 0));
  const series = shown
    .slice(0, SERIES - 1)
    .map((row) => ({ name: nameOf(row, by), values: row.series.cost_usd }));
  const total = bill.series.cost_usd;
  const others = total.map((all, i) =>
    all === null ? null : Math.max(0, all - series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0)),
  );
  if (shown.length >= SERIES || bill.rest)
    series.push({ name: "all others", values: others, colour: "--soft" });
  const times = bill.buckets.map((at) => Date.parse(at) / 1000);
  return chart({
    label: "Cost over time",
    kind: "bar",
    stacked: true,
    times,
    series,
    format: usd,
    height: 220,
  });
}

/** Who costs more or less than before. */
export function moved({ rows }, state) {
  const row = (one) => ({
    key: nameOf(one, state.by),
    cells: [
      h("a", { href: href("/costs", narrowed(state, one)) }, nameOf(one, state.by)),
      money(one.previous_usd),
      money(one.cost_usd, one.unpriced_calls),
      h("span", { class: one.change_usd > 0 ? "bad" : "good" }, change(one)),
    ],
  });
  const columns = [
    { name: state.by.join(" / ").replaceAll("_", " ") },
    ...["before", "now", "change"].map((name) => ({ name, number: true })),
  ];
  return grid(
    "What changed most",
    columns,
    rows.filter((one) => one.change_usd !== 0).map(row),
    "Nothing changed.",
  );
}

export function spent(bill, state) {
  const { by } = state;
  const most = Math.max(...bill.rows.map(({ cost_usd }) => cost_usd ?? 0), bill.rest?.cost_usd ?? 0, 0);
  const cells = (one) => [
    h(
      "span",
      { class: "share", style: { "--w": most ? `${(100 * (one.cost_usd ?? 0)) / most}%` : "0%" } },
      money(one.cost_usd, one.unpriced_calls),
    ),
    percent(one.share_percent),
    ...(bill.previous ? [money(one.previous_usd), change(one)] : []),
  ];
  const rates = (one) => [
    short(one.input_tokens),
    short(one.output_tokens),
    money(one.cost_per_call_usd),
    one.cost_per_mission_usd === null ? "–" : money(one.cost_per_mission_usd),
  ];
  const calls = (one) =>
    h(
      "a",
      {
        href: href("/costs", callsOfRow(state, one)),
        "aria-label": `${plural(one.calls, "call")} of ${nameOf(one, by)}`,
      },
      int(one.calls),
    );
  const row = (one) => ({
    key: JSON.stringify(by.map((name) => one[name])),
    cells: [
      ...by.map((name) => h("a", { href: href("/costs", narrowed(state, one)) }, one[name] ?? "(none)")),
      ...cells(one),
      calls(one),
      ...rates(one),
      h(
        "a",
        { href: href("/costs", without(state, one)), "aria-label": `Without ${one[by[0]] ?? "(none)"}` },
        "exclude",
      ),
    ],
  });
  const rest = bill.rest && {
    key: "rest",
    cells: [
      `the other ${int(bill.rest.groups)}`,
      ...by.slice(1).map(() => ""),
      ...cells(bill.rest),
      int(bill.rest.calls),
      ...rates(bill.rest),
      "",
    ],
  };
  const rows = bill.rows.map(row);
  return [grid("Costs", columns(bill, state), rest ? [...rows, rest] : rows, NONE), pages(bill, state)];
}

function columns(bill, state) {
  const sorts = [
    ["cost", "cost"],
    ["share"],
    ...(bill.previous
      ? [
          ["before", "previous"],
          ["change", "change"],
        ]
      : []),
    ["calls", "calls"],
    ["tokens in", "input_tokens"],
    ["tokens out", "output_tokens"],
    ["a call", "cost_per_call"],
    ["a mission"],
  ];
  const names = state.by.map((name, i) =>
    i ? [name.replaceAll("_", " ")] : [name.replaceAll("_", " "), "name"],
  );
  return [
    ...names.map(([name, sort]) => ({ ...sortable(name, sort, state) })),
    ...sorts.map(([name, sort]) => ({ ...sortable(name, sort, state), number: true })),
    { name: "narrow" },
  ];
}

/** A column whose head sorts by it: first the largest, then the smallest. */
function sortable(name, sort, state) {
  if (!sort) return { name };
  const isSorted = state.sort === sort;
  const turned = isSorted === (state.order === "desc");
  const order =
    sort === "name" ? (isSorted && state.order === "asc" ? null : "asc") : isSorted && turned ? "asc" : null;
  const to = href("/costs", state.with({ sort, order, offset: null }));
  const mark = isSorted ? (state.order === "asc" ? " ↑" : " ↓") : "";
  return {
    name,
    head: h("a", { href: to }, name, h("span", { "aria-hidden": "true" }, mark)),
    sorted: isSorted ? (state.order === "asc" ? "ascending" : "descending") : null,
  };
}

function pages({ rows, groups, next }, state) {
  if (groups <= rows.length) return null;
  const to = (offset) => href("/costs", state.with({ offset: offset || null }));
  return turning(state.offset, rows.length, groups, next, ROWS, to);
}

/** The calls that a cost is made of. */
export function listed({ calls, count, next }, state) {
  const row = (one) => ({
    key: `${one.source} ${one.id}`,
    cells: [
      h("a", { href: href("/event", { id: one.id, source: one.source }) }, time(one.at)),
      one.team,
      one.agent ?? one.agent_type,
      one.mission && h("a", { href: workOf("mission", one.mission) }, one.mission),
      `${one.provider} ${one.model}`,
      badge(one.status, one.status === "success" ? "good" : "bad"),
      int(one.input_tokens),
      int(one.output_tokens),
      one.duration_s === null ? "–" : seconds(one.duration_s),
      h(
        "span",
        { title: one.missing.join(", ") || null },
        money(one.cost_usd),
        one.cost_status === "known" ? "" : ` ${one.cost_status}`,
      ),
    ],
  });
  const texts = ["when", "team", "agent", "mission", "model", "status"].map((name) => ({ name }));
  const numbers = ["tokens in", "tokens out", "took", "cost"].map((name) => ({ name, number: true }));
  const to = (coffset) => href("/costs", state.with({ coffset: coffset || null }));
  return [
    grid("Calls", [...texts, ...numbers], calls.map(row), NONE),
    count > calls.length ? turning(state.coffset, calls.length, count, next, CALLS, to) : null,
  ];
}
