// Why an alert fires or is silent: the sentence, the evidence, who was told, what people say.
import { ask, parts } from "../ask.js";
import { h } from "../dom.js";
import { ago, exact, int, number, seconds, time } from "../format.js";
import { badge, code, empty, field, grid, panel, say } from "../parts.js";
import { href } from "../route.js";
import { before, contributors, events, values } from "./why_context.js";
import { history, labelled, rule } from "./why_history.js";

export const title = ({ rest: [id] }) => `Why ${(id ?? "").split(".")[0]}`;
export const every_s = 30;

/** @type {[string, string][]} */
export const VERDICTS = [
  ["real", "Real trouble"],
  ["noise", "Noise"],
  ["duplicate", "Duplicate"],
  ["unclear", "Unclear"],
];

export const load = ({ rest: [id] }, signal) => {
  const about = (what) => ask(`/api/alerts/${encodeURIComponent(id ?? "")}/${what}`, { signal });
  return parts({ why: about("why"), context: about("context") });
};

export function render({ why, context }, _, refresh) {
  if (!why.value) return panel("Why", why, () => null, { wide: true });
  const told = why.value;
  return h(
    "div",
    { class: "panels" },
    panel("In a sentence", why, summary, {
      wide: true,
      aside: h(
        "a",
        { class: "button quiet", href: href("/alerts", { alertname: told.alert, severity: told.severity }) },
        "Silence",
      ),
    }),
    panel("Value against its limit", context, values, { wide: true }),
    panel("Who contributes", context, contributors),
    panel("Some of the events", context, events),
    panel("Episodes before", context, before, { wide: true }),
    panel(
      "Evidence",
      why,
      ({ evidence }) => (evidence.length ? evidence.map(look) : empty("Not evaluated yet.")),
      { wide: true },
    ),
    panel("Pages", why, pages),
    panel("Your verdict", why, (value) => verdict(value, refresh)),
    panel("What keeps it from being told", why, muted, { wide: true }),
    panel("History and decisions", why, history, { wide: true }),
    panel("Rule", why, rule, { wide: true }),
  );
}

function summary({
  sentence,
  state,
  severity,
  labels,
  value,
  since,
  fired_at,
  last_evaluated_at,
  last_error,
}) {
  const facts = [
    ["state", badge(state)],
    ["severity", badge(severity)],
    ["value", value === null ? "–" : h("data", { value, title: exact(value) }, number(value))],
    ["since", since ? h("span", {}, time(since), ` (${ago(since)})`) : "–"],
    ["fired", time(fired_at)],
    ["last evaluated", time(last_evaluated_at, "not yet")],
  ];
  const shown = facts.map(([name, node]) => h("div", {}, h("dt", {}, name), h("dd", {}, node)));
  return h(
    "div",
    {},
    h("p", { class: "sentence" }, sentence),
    h("dl", { class: "facts" }, shown),
    labelled(labels),
    last_error ? h("p", { class: "bad" }, last_error) : null,
  );
}

/** What one look of the rule read, held against its threshold. */
function look({ look: name, query, start, end, condition, hold_s, value, rows, row_count, error }) {
  const labels = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))];
  const line = (row) => [
    ...labels.map((label) => row.labels[label] ?? ""),
    row.value === null
      ? "no number"
      : h("data", { value: row.value, title: exact(row.value) }, number(row.value)),
    row.samples === null ? "–" : int(row.samples),
  ];
  const columns = [
    ...labels.map((label) => ({ name: label })),
    { name: "value", number: true },
    { name: "samples", number: true },
  ];
  const found = error
    ? h("p", { class: "trouble" }, error)
    : grid(`Rows that ${name} read`, columns, rows.map(line), "The query had no row.");
  return h(
    "article",
    { class: "look", "data-key": name },
    h(
      "h3",
      {},
      name === "main" ? "Main look" : "Fast look",
      h(
        "span",
        { class: "soft" },
        " fires when value ",
        h("b", {}, condition),
        hold_s ? ` for ${seconds(hold_s)}` : " at once",
      ),
    ),
    h(
      "p",
      { class: "soft" },
      "It read ",
      time(start),
      " to ",
      time(end),
      value === null ? "" : h("span", {}, ": ", h("b", {}, number(value)), ` against ${condition}`),
      row_count > rows.length ? `; of ${int(row_count)} rows, the worst ${rows.length} are shown` : "",
      ".",
    ),
    h("div", { class: "beside" }, found, code(query, `Query of ${name}`)),
  );
}

function pages({ incident }) {
  if (!incident) return empty("Nobody was told.");
  const row = (page) => ({
    key: page.id,
    cells: [
      badge(page.action, page.action === "resolve" ? "resolved" : "firing"),
      page.reason,
      page.receiver,
      h(
        "span",
        { title: page.status || null },
        page.delivery,
        page.attempts > 1 ? ` after ${page.attempts} attempts` : "",
      ),
      time(page.settled_at ?? page.next_attempt_at),
    ],
  });
  const state = h(
    "p",
    {},
    badge(incident.open ? "open" : "resolved"),
    ` ${incident.receiver}`,
    incident.opened_at ? h("span", { class: "soft" }, ", opened ", time(incident.opened_at)) : "",
  );
  return h(
    "div",
    {},
    state,
    grid(
      "Pages",
      ["page", "reason", "receiver", "delivery", "when"].map((name) => ({ name })),
      incident.pages.map(row),
      "No page yet.",
    ),
  );
}

function verdict({ id, episode, verdict: given }, refresh) {
  if (!episode) return empty("It never fired: there is nothing to judge.");
  const send = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target, event.submitter);
    const body = Object.fromEntries([...form].filter(([, text]) => text !== ""));
    try {
      await ask(`/api/alerts/${encodeURIComponent(id)}/verdict`, { body });
      say("Thank you: noted.");
    } catch (error) {
      say(error.message, "bad");
    }
    refresh();
  };
  const button = ([word, text]) =>
    h(
      "button",
      {
        type: "submit",
        class: given?.verdict === word ? "" : "quiet",
        name: "verdict",
        value: word,
        "aria-pressed": String(given?.verdict === word),
      },
      text,
    );
  return h(
    "form",
    { class: "verdict", onsubmit: send, "data-key": episode },
    h(
      "p",
      { class: "soft" },
      given
        ? h(
            "span",
            {},
            "Judged ",
            h("b", {}, given.verdict),
            given.by ? ` by ${given.by}` : "",
            ", ",
            time(given.at),
            given.note ? `: ${given.note}` : "",
          )
        : "Was this alert worth it? Verdicts tell which rules need work.",
    ),
    field("Your name", h("input", { name: "by", maxlength: 128, autocomplete: "name" })),
    field("Note", h("input", { name: "note", maxlength: 1000 })),
    h("p", { class: "choices", role: "group", "aria-label": "Verdict" }, VERDICTS.map(button)),
  );
}

function muted({ muted_by, silences, inhibitions }) {
  if (!muted_by && !silences.length && !inhibitions.length) return empty("Nothing mutes it.");
  const silence = ({ id, kind, matchers, ends_at, author, comment }) =>
    h(
      "li",
      { "data-key": id },
      badge(kind, "muted"),
      " ",
      matchers.map((matcher) => h("code", { class: "label" }, matcher)),
      author,
      comment ? `: ${comment}` : "",
      ends_at ? h("span", { class: "soft" }, ", until ", time(ends_at)) : "",
    );
  const inhibition = ({ source }) =>
    h("li", {}, badge("inhibition", "muted"), " while ", labelled(source), " fires");
  return h(
    "ul",
    { class: "spaced" },
    silences.map(silence),
    inhibitions.map(inhibition),
    !silences.length && !inhibitions.length ? h("li", {}, muted_by) : null,
  );
}
