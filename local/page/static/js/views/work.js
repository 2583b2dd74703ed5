// What agents did: the dearest traces, missions or conversations, and the steps of one as a tree.
import { ask, parts } from "../ask.js";
import { h } from "../dom.js";
import { int, money, plural, seconds, time } from "../format.js";
import { badge, empty, field, grid, panel, select, tile, tiles, turning } from "../parts.js";
import { PERIODS } from "../periods.js";
import { go, href } from "../route.js";

const ROWS = 50;
const MOST_STEPS = 300;
const KINDS = [
  ["traces", "Traces"],
  ["missions", "Missions"],
  ["conversations", "Conversations"],
];
const SORTS = [
  ["cost", "Cost"],
  ["calls", "Model calls"],
  ["tokens", "Tokens"],
  ["errors", "Failed calls"],
  ["duration", "Duration"],
];

const one = (name) => name.slice(0, -1);
const titled = (word) => `${word[0].toUpperCase()}${word.slice(1)}`;

export const title = ({ name, rest }) =>
  rest.length ? `${titled(one(name))} ${rest.join("/")}` : `${titled(one(name))}s`;
export const every_s = 0;

/** The address of a trace, mission or conversation. */
export const workOf = (kind, id) => href(`/${kind}s/${encodeURIComponent(id)}`);

export function load({ name, rest, params }, signal) {
  if (rest.length)
    return parts({ work: ask(`/api/${name}/${encodeURIComponent(rest.join("/"))}`, { signal }) });
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const asked = { period: "24h", top: String(ROWS), timezone, ...Object.fromEntries(params) };
  return parts({ list: ask(`/api/${name}?${new URLSearchParams(asked)}`, { signal }) });
}

export function render({ work, list }, route, _, redraw) {
  if (!list)
    return [
      work.value && totals(work.value),
      panel("Steps", work, (found) => steps(found, redraw), { wide: true }),
    ];
  return [
    controls(route),
    panel(`The dearest ${route.name}`, list, (found) => dearest(found, route), { wide: true }),
  ];
}

function controls({ name, params }) {
  const given = Object.fromEntries(params);
  const choose = (label, key, options, chosen) =>
    field(
      label,
      select(key, options, chosen, {
        onchange: ({ target }) => go(`/${name}`, { ...given, [key]: target.value, offset: null }),
      }),
    );
  const kind = select("kind", KINDS, name, {
    onchange: ({ target }) => go(`/${target.value}`, { ...given, offset: null }),
  });
  return h(
    "form",
    { class: "parameters spaced-below", onsubmit: (event) => event.preventDefault() },
    field("What", kind),
    choose("Period", "period", PERIODS, given.period ?? "24h"),
    choose("Sorted by", "sort", SORTS, given.sort ?? "cost"),
  );
}

function dearest({ kind, rows, count, next }, { name, params }) {
  const row = (found) => ({
    key: found.id,
    cells: [
      h("a", { href: workOf(kind, found.id) }, found.id),
      found.team,
      time(found.from),
      seconds(found.duration_s),
      money(found.cost_usd, found.unpriced_calls),
      int(found.calls),
      found.errors ? badge(int(found.errors), "bad") : "0",
      int(found.input_tokens),
      int(found.output_tokens),
    ],
  });
  const texts = [kind, "team", "began"].map((text) => ({ name: text }));
  const numbers = ["took", "cost", "calls", "failed", "tokens in", "tokens out"].map((text) => ({
    name: text,
    number: true,
  }));
  const offset = Number(params.get("offset") ?? 0);
  const to = (from) => href(`/${name}`, { ...Object.fromEntries(params), offset: from || null });
  return [
    grid(
      `The dearest ${name}`,
      [...texts, ...numbers],
      rows.map(row),
      `No model call names a ${kind} in this time.`,
    ),
    count > rows.length ? turning(offset, rows.length, count, next, ROWS, to) : null,
  ];
}

const totals = (work) =>
  tiles(
    tile("Cost", money(work.cost_usd, work.unpriced_calls), { tone: work.unpriced_calls ? "warn" : "" }),
    tile("Model calls", int(work.calls)),
    tile("Errors", int(work.errors), { tone: work.errors ? "bad" : "" }),
    tile("Took", seconds(work.duration_s)),
    tile("Tokens in", int(work.input_tokens)),
    tile("Tokens out", int(work.output_tokens)),
    tile("Began", time(work.from)),
  );

let shown = { id: "", most: MOST_STEPS };

/** The tree, so many rows of it at once. */
function steps(work, redraw) {
  if (shown.id !== work.id) shown = { id: work.id, most: MOST_STEPS };
  const all = [...flat(work.steps, 0)];
  if (!all.length) return empty("No step is known.");
  const begin = Date.parse(work.from);
  const whole_s = Math.max(work.duration_s, 0.001);
  const rows = all.slice(0, shown.most).map(([step, depth], i) => line(step, depth, i, begin, whole_s));
  const texts = ["step", "who", "outcome"].map((name) => ({ name }));
  const numbers = ["tokens in", "tokens out", "cost", "took"].map((name) => ({ name, number: true }));
  const more = () => {
    shown.most += MOST_STEPS;
    redraw();
  };
  return [
    grid("Steps", [...texts, ...numbers, { name: "when" }], rows, "", { atOnce: Infinity }),
    all.length > shown.most &&
      h(
        "p",
        { class: "turning" },
        `The first ${int(shown.most)} of ${int(all.length)}`,
        h("button", { type: "button", class: "quiet", onclick: more }, "Show more"),
      ),
    work.listed < work.events &&
      h(
        "p",
        { class: "soft" },
        `The first ${plural(work.listed, "event")} of ${int(work.events)}; the figures above are of all.`,
      ),
  ];
}

function* flat(all, depth) {
  for (const step of all) {
    yield [step, depth];
    yield* flat(step.steps, depth + 1);
  }
}

function line(step, depth, i, begin, whole_s) {
  const from_s = (Date.parse(step.at) - begin) / 1000;
  const state = step.error_type ?? step.status;
  const isBad =
    step.type === "error" || /error|fail|timeout/.test(step.status ?? "") || Boolean(step.error_type);
  const name = [step.name, step.type === "span" ? null : step.type, step.model, step.operation]
    .filter(Boolean)
    .join(" ");
  const place = percent(from_s / whole_s);
  return {
    key: String(i),
    cells: [
      h(
        "span",
        { class: "step", style: { "--depth": depth } },
        step.id ? h("a", { href: href("/event", { id: step.id, source: step.source }) }, name) : name,
      ),
      step.agent ?? step.agent_type ?? step.team,
      state || isBad ? badge(state ?? "error", isBad ? "bad" : "good") : "",
      step.input_tokens === undefined ? "" : int(step.input_tokens),
      step.output_tokens === undefined ? "" : int(step.output_tokens),
      step.cost_usd === undefined ? "" : money(step.cost_usd),
      step.duration_s === undefined ? "" : seconds(step.duration_s),
      h("span", {
        class: isBad ? "bar-at bad" : "bar-at",
        style: { "--from": place, "--w": percent((step.duration_s ?? 0) / whole_s) },
      }),
    ],
  };
}

const percent = (share) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
