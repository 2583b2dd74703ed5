// Finds events by who sent them, what they are, and what they say.
import { ask, literal, parts, table, vocabulary } from "../ask.js";
import { h } from "../dom.js";
import { money, seconds, time } from "../format.js";
import { badge, field, grid, panel, select } from "../parts.js";
import { go, href } from "../route.js";

export const title = () => "Search events";
export const every_s = 0;

const MOST = 100;
const SPANS = [
  ["PT15M", "Last 15 minutes"],
  ["PT1H", "Last hour"],
  ["P1D", "Last 24 hours"],
  ["P7D", "Last 7 days"],
  ["P30D", "Last 30 days"],
];
/** Field → the columns that must have its text. */
const EXACT = {
  team: ["TeamId"],
  model: ["Model", "ResponseModel"],
  agent: ["AgentId", "AgentType"],
  kind: ["Name"],
  status: ["Status", "Outcome"],
};
const PLACES = ["EventId", "ResponseId", "MissionId", "ConversationId", "OperationId"];
const TEXTS = [
  "Subject",
  "Source",
  "Message",
  "Error",
  "ErrorType",
  "Path",
  "Operation",
  "Component",
  "Provider",
  "Model",
  "Reason",
];

const either = (columns, test) => `(${columns.map(test).join(" or ")})`;

/** Return the KQL of what is asked for. */
export function queryOf(params) {
  const wanted = Object.entries(EXACT)
    .filter(([name]) => params.get(name))
    .map(([name, columns]) => either(columns, (column) => `${column} =~ ${literal(params.get(name))}`));
  if (params.get("id")) wanted.push(either(PLACES, (column) => `${column} == ${literal(params.get("id"))}`));
  if (params.get("text"))
    wanted.push(either(TEXTS, (column) => `${column} contains ${literal(params.get("text"))}`));
  return [
    "UsageEvents",
    ...wanted.map((test) => `| where ${test}`),
    `| top ${MOST} by TimeGenerated desc`,
  ].join("\n");
}

export function load({ params }, signal) {
  const found = table(queryOf(params), params.get("span") ?? "PT1H", signal);
  return parts({ found, known: ask("/api/costs?by=team,model", { signal }), words: vocabulary(signal) });
}

export function render({ found, known, words }, { params }, refresh) {
  const kinds = words.value?.rows ?? [];
  const search = (event) => {
    event.preventDefault();
    const before = location.hash;
    go("/search", Object.fromEntries(new FormData(event.target)));
    if (location.hash === before) refresh();
  };
  const text = (label, name, list) =>
    field(label, h("input", { name, value: params.get(name) ?? "", list, autocomplete: "off" }));
  const options = (id, name) =>
    h(
      "datalist",
      { id },
      [...new Set((known.value?.rows ?? []).map((row) => row[name]).filter(Boolean))].map((value) =>
        h("option", { value }),
      ),
    );
  return h(
    "div",
    { class: "panels" },
    panel(
      "Find",
      {},
      () =>
        h(
          "form",
          { class: "search", onsubmit: search, role: "search", "data-key": params.toString() },
          text("Text", "text"),
          field("Time", select("span", SPANS, params.get("span") ?? "PT1H")),
          h(
            "details",
            { class: "wide", "data-key": "filters", open: matchMedia("(min-width: 861px)").matches },
            h("summary", {}, "Filters"),
            h(
              "div",
              { class: "fields" },
              text("Any id", "id"),
              field(
                "Kind",
                select("kind", [["", "any"], ...kinds.map((kind) => [kind, kind])], params.get("kind") ?? ""),
              ),
              text("Team", "team", "teams"),
              text("Model", "model", "models"),
              text("Agent or its type", "agent"),
              text("Status", "status"),
            ),
          ),
          h("p", {}, h("button", { type: "submit" }, "Search")),
          options("teams", "team"),
          options("models", "model"),
        ),
      { wide: true },
    ),
    panel("Events", found, listed, { wide: true }),
  );
}

function listed({ columns, rows }) {
  const at = Object.fromEntries(columns.map(({ name }, place) => [name, place]));
  const row = (one) => {
    const get = (name) => one[at[name]];
    const what = [
      get("Provider"),
      get("Model"),
      get("Operation"),
      get("Method"),
      get("Path"),
      get("Component"),
      get("ErrorType"),
      get("State"),
      get("Priority"),
      get("CacheType"),
      get("Result"),
      get("PricingTier"),
    ]
      .filter(Boolean)
      .join(" ");
    const state = get("Status") || get("Outcome");
    const link = h("a", { href: href("/event", { id: get("EventId"), source: get("Source") }) }, get("Name"));
    return {
      key: `${get("Source")} ${get("EventId")}`,
      cells: [
        time(get("TimeGenerated")),
        link,
        get("TeamId"),
        get("AgentId") || get("AgentType"),
        what,
        state ? badge(state, /error|fail|timeout|^[45]\d\d$/.test(state) ? "bad" : "good") : "",
        get("DurationS") === null ? "" : seconds(get("DurationS")),
        get("Name") === "llm.call" ? money(get("CostUsd")) : "",
      ],
    };
  };
  const names = [
    { name: "time" },
    { name: "kind" },
    { name: "team" },
    { name: "agent" },
    { name: "what" },
    { name: "status" },
    { name: "took", number: true },
    { name: "cost", number: true },
  ];
  return h(
    "div",
    {},
    grid("Events found", names, rows.map(row), "No event fits. Take a longer time, or fewer words."),
    rows.length === MOST ? h("p", { class: "soft" }, `The latest ${MOST}.`) : null,
  );
}
