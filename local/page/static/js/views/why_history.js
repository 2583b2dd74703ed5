// Of why an alert is as it is: its history and decisions, and its rule.
import { h } from "../dom.js";
import { exact, int, number, seconds, time } from "../format.js";
import { badge, empty, grid, scrolls } from "../parts.js";

/** Labels as people write them. */
export const labelled = (labels) =>
  Object.entries(labels).map(([name, value]) => h("code", { class: "label" }, `${name}=${value}`));

const KINDS = { transition: "state", decision: "decision", page: "page", verdict: "verdict" };

/** What happened to the alert, newest first. */
export function history({ history: steps }) {
  const row = ({ id, at, kind, state, reason, labels, measures, details, evidence }) => ({
    key: id,
    cells: [
      time(at),
      KINDS[kind] ?? kind,
      state ? badge(state, TONES[state] ?? state) : badge("no page", "muted"),
      h("span", {}, reason, labelled(labels), evidence.map(read)),
      measured(measures),
      [details.receiver, details.status, details.by].filter(Boolean).join(" "),
    ],
  });
  const columns = ["when", "what", "outcome", "why"].map((name) => ({ name }));
  const all = [...columns, { name: "value", number: true }, { name: "who" }];
  return grid("History", all, steps.map(row), "Nothing happened yet.");
}

function measured({ value, threshold }) {
  if (value === undefined) return "";
  const against = threshold === undefined ? "" : ` (threshold ${number(threshold)})`;
  return h("span", {}, h("data", { value, title: exact(value) }, number(value)), against);
}

/** What a look had read then. */
function read({ look, query, condition, value, start, end, error }) {
  const said = error || `${value === null ? "no number" : number(value)} against ${condition}`;
  const shown = h("pre", {}, h("code", {}, query));
  return h(
    "details",
    { "data-key": look },
    h("summary", {}, `${look}: ${said}`),
    h("p", { class: "soft" }, time(start), " to ", time(end)),
    scrolls(`Query of ${look} then`, shown),
  );
}

const TONES = {
  trigger: "firing",
  resolve: "resolved",
  accepted: "good",
  later: "warn",
  dead: "bad",
  dropped: "muted",
  real: "bad",
  noise: "muted",
  cancelled: "inactive",
};

/** What the rule says. */
export function rule({ rule: told }) {
  if (!told) return empty("The rule is no more.");
  const { key, group, every_s, no_data, description, runbook, looks } = told;
  const row = (one) => ({
    key: one.look,
    cells: [
      one.look,
      one.condition,
      one.resolve ?? "–",
      seconds(one.window_s),
      seconds(one.hold_s),
      seconds(one.offset_s),
      one.min_samples ? int(one.min_samples) : "–",
    ],
  });
  return h(
    "div",
    {},
    h(
      "p",
      {},
      h("code", {}, key),
      h("span", { class: "soft" }, `, ${group}, asked every ${seconds(every_s)}; without data: ${no_data}`),
    ),
    h("p", {}, description.replace(/\{[^}]*\}/g, "…")),
    runbook ? h("p", {}, "Runbook: ", h("code", {}, runbook)) : null,
    grid(
      "Looks",
      ["look", "fires", "resolves", "window", "hold", "offset", "samples at least"].map((name) => ({ name })),
      looks.map(row),
      "",
    ),
  );
}
