// One event: its row, its way, the metrics of its minute, the incidents that followed.
import { ask, literal, parts, rows, Unanswered, vocabulary } from "../ask.js";
import { h } from "../dom.js";
import { exact, money, number, time } from "../format.js";
import { badge, grid, panel } from "../parts.js";
import { href } from "../route.js";
import { way, wayOf } from "./event_way.js";
import { ruleOf, said, whyOf } from "./incidents.js";
import { workOf } from "./work.js";

export const title = ({ params }) => `Event ${params.get("id") ?? ""}`;
export const every_s = 0;

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function load({ params }, signal) {
  const event = find(params, signal);
  // It is counted a moment after it happened, which may be the next minute.
  return parts({
    event,
    trace: event.then((found) => wayOf(found, signal)),
    metrics: Promise.all([event, vocabulary(signal)]).then(([found, { metrics }]) =>
      minuteOf(found, metrics[found.Name] ?? [], signal),
    ),
    incidents: ask("/incidents", { signal }),
  });
}

async function find(params, signal) {
  const source = params.get("source");
  const [event] = await rows(
    `UsageEvents | where EventId == ${literal(params.get("id") ?? "")}${source ? ` and Source == ${literal(source)}` : ""} | take 1`,
    null,
    signal,
  );
  if (!event)
    throw new Unanswered("There is no such event. A new one is stored within seconds: search again.", 404);
  return event;
}

/** The rows that metrics of these names have at the event's minute. */
function minuteOf(event, names, signal) {
  const minute = new Date(Math.floor(Date.parse(event.TimeGenerated) / MINUTE_MS) * MINUTE_MS);
  const metrics = `AppMetrics | where Name in (${["", ...names].map(literal).join(", ")}) | project TimeGenerated, Name, Sum, ItemCount, Properties | order by Name asc, TimeGenerated asc`;
  return rows(metrics, `${minute.toISOString()}/PT2M`, signal);
}

export function render({ event: found, trace, metrics, incidents }) {
  const event = found.value;
  if (!event) return panel("Event", found, () => null, { wide: true });
  const at = Date.parse(event.TimeGenerated);
  const fits = countedIn(metrics.value ?? [], event);
  return h(
    "div",
    { class: "panels" },
    panel("Row", found, row, { wide: true }),
    panel("Way", trace, (found) => way(found, event, fits), { wide: true }),
    panel("Metrics of then", metrics, () => counted(fits)),
    panel("Incidents of the hour that followed", incidents, (found) => paged(found, at)),
  );
}

/** Column → what its value is the id of. */
const WORK = { OperationId: "trace", MissionId: "mission", ConversationId: "conversation" };

/** What stands in UsageEvents, without empty columns. */
function row(event) {
  const shown = Object.entries(event).filter(([, value]) => value !== null && value !== "");
  const value = (name, given) =>
    name.endsWith("Usd") && typeof given === "number"
      ? money(given)
      : name === "TimeGenerated" || name === "OccurredAt"
        ? time(given)
        : typeof given === "number"
          ? h("data", { value: given, title: exact(given) }, number(given))
          : WORK[name]
            ? h("a", { href: workOf(WORK[name], given) }, String(given))
            : String(given);
  const unpriced =
    event.Name === "llm.call" && event.CostUsd === null
      ? [h("div", {}, h("dt", {}, "CostUsd"), h("dd", {}, money(null)))]
      : [];
  return h(
    "dl",
    { class: "facts dense" },
    shown.map(([name, given]) => h("div", {}, h("dt", {}, name), h("dd", {}, value(name, given)))),
    unpriced,
  );
}

/** The metric rows whose labels are the event's, with their labels. */
function countedIn(found, event) {
  const values = new Set(Object.values(event).map(String));
  return found
    .map((one) => ({ ...one, labels: JSON.parse(one.Properties || "{}") }))
    .filter(({ labels }) =>
      Object.entries(labels).every(
        ([name, value]) =>
          ["source", "token_type", "cost_status"].includes(name) || values.has(value) || value === "",
      ),
    );
}

function counted(fits) {
  const line = ({ TimeGenerated, Name, labels, Sum, ItemCount }) => [
    time(TimeGenerated),
    Name,
    Object.entries(labels).map(([name, value]) => h("code", { class: "label" }, `${name}=${value}`)),
    h("data", { value: Sum, title: exact(Sum) }, number(Sum)),
    number(ItemCount),
  ];
  return grid(
    "Metrics",
    [
      { name: "minute" },
      { name: "metric" },
      { name: "labels" },
      { name: "sum", number: true },
      { name: "items", number: true },
    ],
    fits.map(line),
    "No metric row yet: they are written once a minute.",
  );
}

function paged(all, at) {
  const after = all.filter(
    ({ opened_at, resolved_at }) =>
      Date.parse(opened_at) <= at + HOUR_MS && (!resolved_at || Date.parse(resolved_at) >= at),
  );
  const line = ({ dedup_key, severity, summary, opened_at }) => [
    badge(severity),
    h("a", { href: whyOf(ruleOf(dedup_key)) }, said(summary)),
    time(opened_at),
  ];
  return h(
    "div",
    {},
    grid(
      "Incidents",
      [{ name: "severity" }, { name: "what" }, { name: "opened" }],
      after.map(line),
      "No incident was open then.",
    ),
    h("p", { class: "soft" }, h("a", { href: href("/alerts") }, "All rules and their states")),
  );
}
