// What was spent, by whom, over time, against the period before; down to the calls themselves.
import { ask, parts, vocabulary } from "../ask.js";
import { h } from "../dom.js";
import { int, money, percent, plural, short, time } from "../format.js";
import { badge, code, empty, field, panel, select, tile, tiles } from "../parts.js";
import { PERIODS } from "../periods.js";
import { go, href } from "../route.js";
import { apiOf, BUCKETS, callsOf, labelled, read, TO_MOVERS, unescaped } from "./costs_state.js";
import { change, listed, moved, overTime, spent } from "./costs_tables.js";

export const title = () => "Costs";
export const every_s = 60;

export function load({ params }, signal) {
  const state = read(params);
  const asked = { words: vocabulary(signal), bill: ask(`/api/costs?${apiOf(state)}`, { signal }) };
  if (state.compare !== "none") asked.movers = ask(`/api/costs?${apiOf(state, TO_MOVERS)}`, { signal });
  if (state.list) asked.calls = ask(`/api/costs/calls?${callsOf(state)}`, { signal });
  return parts(asked);
}

export function render({ words, bill, movers, calls }, { params }) {
  const state = read(params);
  const dimensions = words.value?.dimensions ?? state.by;
  const by = state.by.map(labelled).join(" and ");
  return [
    controls(state, dimensions),
    chips(state),
    bill.value && !bill.error && tiles(...figures(bill.value)),
    h(
      "div",
      { class: "panels" },
      panel(`Over time, by ${by}`, bill, (found) => overTime(found, state), { wide: !movers }),
      movers && panel("What changed most", movers, (found) => moved(found, state)),
      panel(`Spent, by ${by}`, bill, (found) => spent(found, state), { wide: true, aside: exported(state) }),
      calls && panel("Calls", calls, (found) => listed(found, state), { wide: true }),
      panel("Models without a price", bill, unpriced, { wide: true }),
    ),
  ];
}

function controls(state, dimensions) {
  const set = (changes) => go("/costs", state.with({ offset: null, list: null, from: null, ...changes }));
  const choose = (label, name, options, chosen, apply = (value) => set({ [name]: value })) =>
    field(label, select(name, options, chosen, { onchange: ({ target }) => apply(target.value) }));
  const named = dimensions.map((name) => [name, labelled(name)]);
  const [first, second = ""] = state.by;
  const periods = PERIODS.some(([name]) => name === state.period)
    ? PERIODS
    : [[state.period, state.period], ...PERIODS];
  return h(
    "form",
    { class: "parameters spaced-below", onsubmit: (event) => event.preventDefault() },
    choose("Period", "period", periods, state.period),
    choose("By", "by", named, first, (value) => set({ by: join(value, second) })),
    choose("And by", "and", [["", "nothing"], ...named.filter(([name]) => name !== first)], second, (value) =>
      set({ by: join(first, value) }),
    ),
    choose(
      "Steps",
      "bucket",
      [["", "as it fits"], ...BUCKETS.map((name) => [name, `by ${name}`])],
      state.bucket,
    ),
    choose(
      "Compare with",
      "compare",
      [
        ["", "the period before"],
        ["none", "nothing"],
      ],
      state.compare,
    ),
  );
}

const join = (first, second) => [...new Set([first, second].filter(Boolean))].join(",");

/** What narrows the view down, each to be taken away. */
function chips(state) {
  if (!state.filters.length) return null;
  const chip = ([name, text]) => {
    const not = name.startsWith("not_");
    const said = `${labelled(name.replace(/^not_/, ""))} ${not ? "is not" : "is"} ${unescaped(text).join(" or ")}`;
    return h(
      "li",
      { class: "chip" },
      said,
      h(
        "a",
        { href: href("/costs", state.with({ [name]: null, offset: null })), "aria-label": `Remove: ${said}` },
        "×",
      ),
    );
  };
  return h("ul", { class: "chips", "aria-label": "Filters" }, state.filters.map(chip));
}

function figures(bill) {
  const compared = bill.previous ? change(bill) : null;
  return [
    tile("Spent", money(bill.total_usd), {
      note: bill.unpriced_calls ? `${plural(bill.unpriced_calls, "call")} unpriced` : compared,
      tone: bill.unpriced_calls ? "warn" : "",
    }),
    bill.previous && tile("Period before", money(bill.previous_usd), { note: compared }),
    bill.forecast_usd === null
      ? null
      : tile("By its end", money(bill.forecast_usd), { note: "at the pace so far" }),
    tile("Model calls", int(bill.calls)),
    tile("A call", money(bill.cost_per_call_usd)),
    tile("1,000 tokens", money(bill.cost_per_1k_tokens_usd)),
    bill.missions
      ? tile("A mission", money(bill.cost_per_mission_usd), { note: plural(bill.missions, "mission") })
      : null,
    tile("Tokens", short(bill.input_tokens + bill.output_tokens), {
      note: bill.input_tokens
        ? `${percent((100 * bill.cache_read_tokens) / bill.input_tokens)} of input from caches`
        : null,
    }),
    tile("Estimated", int(bill.estimated_calls), { note: "calls of which a part was guessed" }),
  ].filter(Boolean);
}

/** The same answer as a file. */
const exported = (state) =>
  h(
    "a",
    {
      class: "button quiet",
      href: `/api/costs?${apiOf(state, { format: "csv", bucket: null })}`,
      download: "costs.csv",
    },
    "Export CSV",
  );

function unpriced({ unpriced: all, unread }) {
  const missing = unread.map((one) =>
    h(
      "p",
      { "data-key": `unread ${one.scope}` },
      badge("not counted", "warn"),
      ` ${plural(one.spans, "span")} of ${one.scope} count tokens in words that are not known here.`,
    ),
  );
  if (!all.length) return missing.length ? missing : empty(badge("every call has a price", "good"));
  return [missing, unpricedModels(all)];
}

function unpricedModels(all) {
  return h(
    "details",
    { "data-key": "unpriced" },
    h("summary", {}, `${plural(all.length, "model")} without a price, and what to add to config/prices.toml`),
    all.map(entry),
  );
}

function entry(one) {
  return h(
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
  );
}
