// What was spent, by whom, and what has no price yet.
import { ask, parts, vocabulary } from "../ask.js";
import { h } from "../dom.js";
import { int, money, plural, short, time } from "../format.js";
import { badge, code, empty, field, grid, panel, select, tile, tiles } from "../parts.js";
import { go } from "../route.js";

export const title = () => "Costs";
export const every_s = 15;

const HOUR_MS = 3_600_000;
const PERIODS = [
  ["1", "Last hour"],
  ["24", "Last 24 hours"],
  ["168", "Last 7 days"],
  ["720", "Last 30 days"],
];
const chosen = (params) => ({ hours: params.get("hours") ?? "24", by: params.get("by") ?? "model" });

export function load({ params }, signal) {
  const { hours, by } = chosen(params);
  const from = new Date(Date.now() - hours * HOUR_MS).toISOString();
  const dimensions = by === "model" ? "provider,model" : by;
  return parts({
    bill: ask(`/api/costs?${new URLSearchParams({ by: dimensions, from })}`, { signal }),
    words: vocabulary(signal),
  });
}

export function render({ bill, words }, { params }) {
  const { hours, by } = chosen(params);
  const dimensions = words.value?.dimensions ?? [by];
  const change = ({ target }) => go("/costs", { hours, by, [target.name]: target.value });
  return [
    h(
      "form",
      { class: "parameters spaced-below", onsubmit: (event) => event.preventDefault() },
      field("Period", select("hours", PERIODS, hours, { onchange: change })),
      field(
        "By",
        select(
          "by",
          dimensions.map((name) => [name, name.replace("_", " ")]),
          by,
          { onchange: change },
        ),
      ),
    ),
    bill.value && tiles(...figures(bill.value)),
    h(
      "div",
      { class: "panels" },
      panel("Models without a price", bill, unpriced, { wide: true }),
      panel(`Spent, by ${by.replace("_", " ")}`, bill, spent, { wide: true }),
    ),
  ];
}

function figures(bill) {
  return [
    tile("Spent", money(bill.total_usd), {
      note: bill.unpriced_calls ? `${plural(bill.unpriced_calls, "call")} unpriced` : null,
      tone: bill.unpriced_calls ? "warn" : "",
    }),
    tile("Model calls", int(bill.calls)),
    tile("Input tokens", short(bill.input_tokens)),
    tile("Output tokens", short(bill.output_tokens)),
    tile("Read from caches", short(bill.cache_read_tokens)),
    tile("Estimated", int(bill.estimated_calls), { note: "calls of which a part was guessed" }),
  ];
}

function unpriced({ unpriced: all }) {
  if (!all.length) return empty(badge("every call has a price", "good"));
  return all.map((one) =>
    h(
      "article",
      { class: "look", "data-key": `${one.provider}/${one.model}/${one.missing}` },
      h(
        "h3",
        {},
        `${one.provider || "(no provider)"} / ${one.model || "(no model)"}`,
        h(
          "span",
          { class: "soft" },
          ` ${plural(one.calls, "call")}, ${short(one.input_tokens)} tokens in, ${short(one.output_tokens)} out, `,
          time(one.first_seen),
          " to ",
          time(one.last_seen),
        ),
      ),
      one.missing.length ? h("p", {}, "Not known of the call: ", one.missing.join(", "), ".") : null,
      one.add
        ? [
            h("p", { class: "soft" }, "Add to ", h("code", {}, "config/prices.toml"), ", with its figures:"),
            code(one.add, `Entry for ${one.model}`),
          ]
        : h("p", { class: "soft" }, "No price would help: the call did not say what it used."),
    ),
  );
}

function spent({ by, rows }) {
  const names = by.split(",");
  const most = Math.max(...rows.map(({ cost_usd }) => cost_usd ?? 0), 0);
  const width = ({ cost_usd }) => (most ? `${(100 * (cost_usd ?? 0)) / most}%` : "0%");
  const row = (one) => ({
    key: names.map((name) => one[name]).join("/"),
    cells: [
      ...names.map((name) => one[name] ?? "(none)"),
      h("span", { class: "share", style: { "--w": width(one) } }, money(one.cost_usd, one.unpriced_calls)),
      int(one.calls),
      short(one.input_tokens),
      short(one.output_tokens),
      short(one.cache_read_tokens),
      int(one.estimated_calls),
    ],
  });
  const columns = [
    ...names.map((name) => ({ name: name.replace("_", " ") })),
    ...["cost", "calls", "tokens in", "tokens out", "from caches", "estimated"].map((name) => ({
      name,
      number: true,
    })),
  ];
  return grid("Costs", columns, rows.map(row), "No model call in this time.");
}
