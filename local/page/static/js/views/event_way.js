// The way of one event: HTTP request, queue, process, row, metrics, and the page that it led to.
import { literal, rows } from "../ask.js";
import { h } from "../dom.js";
import { seconds, time } from "../format.js";
import { badge, empty, grid } from "../parts.js";
import { whyOf } from "./incidents.js";

/** In the order of the way; stages that are the same far along it stand by their time. */
const PLACES = {
  "HTTP request": 0,
  queue: 1,
  process: 2,
  call: 3,
  log: 3,
  failure: 3,
  span: 4,
  "event row": 4,
  metric: 5,
  page: 6,
};

const DEPENDENCY = "Name, Role = AppRoleName, Ms = DurationMs, Good = Success, Result = ResultCode";
const KIND = `iff(Name == "process_events", "process", iff(DependencyType == "HTTP" and AppRoleName == "agentmeter", "call", "span"))`;

/** What stands of a trace in whatever table. A log line of its processing is in another, but names it. */
const LEGS = {
  AppRequests: (id) =>
    `where OperationId == ${id} | project TimeGenerated, Stage = "HTTP request", ${DEPENDENCY}, Said = "", Id`,
  AppDependencies: (id) =>
    `where OperationId == ${id} | project TimeGenerated, Stage = ${KIND}, ${DEPENDENCY}, Said = Target, Id`,
  AppExceptions: (id) =>
    `where OperationId == ${id} | project TimeGenerated, Stage = "failure", Name = ExceptionType, Role = AppRoleName, Ms = 0.0, Good = false, Result = "", Said = OuterMessage, Id = ""`,
  AppTraces: (id) =>
    `where OperationId == ${id} or Message has ${id} | project TimeGenerated, Stage = "log", Name = Message, Role = AppRoleName, Ms = 0.0, Good = SeverityLevel < 2, Result = "", Said = "", Id = ""`,
};
const PAGES = (id) =>
  `AppDependencies | where tostring(Properties.event_traces) has ${id} | project TimeGenerated, Stage = "page", ${DEPENDENCY}, Said = tostring(Properties.rule), Id`;
const MOST = 200;

/** Return {steps, others} of the event: what its trace holds, and how many events came with it. */
export async function wayOf(event, signal) {
  if (!event.OperationId) return { steps: [], others: 0 };
  const id = literal(event.OperationId);
  const legs = Object.entries(LEGS).map(([table, leg]) => `(${table} | ${leg(id)})`);
  const asked = `union ${[...legs, `(${PAGES(id)})`].join(", ")} | take ${MOST}`;
  const found = await rows(asked, null, signal);
  const isOfRequest = found.some(({ Stage, Id }) => Stage === "HTTP request" && Id === event.ParentId);
  const events = await rows(eventsOf(id, isOfRequest ? event : null), null, signal);
  const others = isOfRequest
    ? (await rows(`UsageEvents | where OperationId == ${id} | count`, null, signal))[0].Count - 1
    : 0;
  return { steps: [...found, ...queued(found), ...events], others };
}

/** Its own row; in its agent's trace those of the other events, too. */
function eventsOf(id, alone) {
  const only = alone
    ? ` and EventId == ${literal(alone.EventId)} and Source == ${literal(alone.Source)}`
    : "";
  return `UsageEvents | where OperationId == ${id}${only} | project TimeGenerated, Stage = "event row", Name, Role = Source, Ms = coalesce(1000 * DurationS, 0.0), Good = Name != "error" and Status !in ("error", "failed"), Result = iff(Name == "error", ErrorType, Status), Said = "", Id = "" | take ${MOST}`;
}

/** The wait between the request and its processing, of which there is no row. */
function queued(found) {
  const request = found.find(({ Stage }) => Stage === "HTTP request");
  return found
    .filter(({ Stage }) => request && Stage === "process")
    .map(({ TimeGenerated }) => {
      const from = Date.parse(request.TimeGenerated) + request.Ms;
      return {
        TimeGenerated: new Date(from).toISOString(),
        Stage: "queue",
        Name: "usage-events",
        Role: "agentmeter",
        Ms: Math.max(0, Date.parse(TimeGenerated) - from),
        Good: true,
        Result: "",
        Said: "",
      };
    });
}

/** Draw it. counted: the rows of metrics that the event is in. */
export function way({ steps, others }, event, counted) {
  if (!event.OperationId)
    return empty("The event names no trace, and came with a request whose trace was not known.");
  const start = Math.min(...steps.map(({ TimeGenerated }) => Date.parse(TimeGenerated)));
  const whole = Math.max(1, ...steps.map(({ TimeGenerated, Ms }) => Date.parse(TimeGenerated) + Ms - start));
  const all = [...steps, ...measured(counted)].toSorted(
    (one, other) =>
      PLACES[one.Stage] - PLACES[other.Stage] || one.TimeGenerated.localeCompare(other.TimeGenerated),
  );
  const columns = ["time", "stage", "what", "by", "outcome"].map((name) => ({ name }));
  return h(
    "div",
    {},
    grid(
      "Trace",
      [...columns, { name: "took", number: true }, { name: "when" }],
      all.map((step, i) => line(step, i, start, whole)),
      "",
    ),
    note(steps, others),
  );
}

/** The metrics that it counts in, as one step. */
function measured(counted) {
  const names = [...new Set(counted.map(({ Name }) => Name))];
  const [first] = counted;
  return first
    ? [
        {
          TimeGenerated: first.TimeGenerated,
          Stage: "metric",
          Name: names.join(", "),
          Role: "agentmeter",
          Ms: 0,
          Good: true,
          Result: "",
          Said: "",
        },
      ]
    : [];
}

function line(step, i, start, whole) {
  const { TimeGenerated, Stage, Name, Role, Ms, Good, Result, Said } = step;
  const bar = h("span", {
    class: Good ? "bar-at" : "bar-at bad",
    style: {
      "--from": `${(100 * (Date.parse(TimeGenerated) - start)) / whole}%`,
      "--w": `${(100 * Ms) / whole}%`,
    },
  });
  const about = Stage === "page" ? h("a", { href: whyOf(Said.replace("/", ".")) }, Said) : Said;
  return {
    key: String(i),
    cells: [
      time(TimeGenerated),
      Stage,
      h("span", {}, Stage === "log" ? logged(Name) : Name, " ", h("span", { class: "soft" }, about)),
      Role,
      badge(Result && Result !== "0" ? Result : Good ? "ok" : "failed", Good ? "good" : "bad"),
      Ms ? seconds(Ms / 1000) : "–",
      Stage === "metric" ? "" : bar,
    ],
  };
}

/** What a line of the log says; ours are JSON. */
function logged(text) {
  try {
    return JSON.parse(text).message;
  } catch {
    return text;
  }
}

function note(steps, others) {
  if (others) return h("p", { class: "soft" }, `${others} other events came with the same request.`);
  if (steps.some(({ Stage }) => Stage === "HTTP request")) return null;
  return h(
    "p",
    { class: "soft" },
    "The event stays in the trace of its agent. Send its ",
    h("code", {}, "traceparent"),
    " as the header of the POST, too, and the request and its processing are in it.",
  );
}
