// How agentmeter itself does: its checks, its queues, its outbox, its timer.
import { ask, parts, rows } from "../ask.js";
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { ago, int, number, seconds, time } from "../format.js";
import { badge, empty, figure, grid, panel, tile, tiles } from "../parts.js";

export const title = () => "Health";
export const every_s = 5;

const POISON = "-poison";
const OWN = `AppMetrics | where Name startswith "agentmeter_" and Name !startswith "agentmeter_budget" and Name !startswith "agentmeter_alert_"
| summarize Total = sum(Sum), Items = sum(ItemCount) by Name, At = bin(TimeGenerated, 1m)
| order by At asc`;

/** What answers 503 says what is wrong in its body, which is what is wanted here. */
const told = async (path, signal) => {
  const answer = await fetch(path, { signal });
  return answer.json();
};

export function load(_, signal) {
  return parts({
    health: ask("/api/health", { signal }),
    watchdog: told("/api/health/alerts", signal),
    alerts: ask("/api/alerts", { signal }),
    queues: ask("/queues", { signal }),
    own: rows(OWN, "PT1H", signal),
  });
}

export function render({ health, watchdog, alerts, queues, own }) {
  return [
    tiles(...figures({ health, watchdog, alerts, queues })),
    h(
      "div",
      { class: "panels" },
      panel("Checks", health, checks, { wide: true }),
      panel("Queues", queues, listed),
      panel("Rules without an answer", alerts, failing),
      ...charts(own),
    ),
  ];
}

function figures({ health, watchdog, alerts, queues }) {
  const all = Object.entries(queues.value?.queues ?? {});
  const oldest = Math.max(
    0,
    ...all.filter(([name]) => !name.endsWith(POISON)).map(([, depth]) => depth.oldest_age_s ?? 0),
  );
  const setAside = all
    .filter(([name]) => name.endsWith(POISON))
    .reduce((sum, [, depth]) => sum + depth.visible + depth.invisible, 0);
  const ticks = (alerts.value?.rules ?? [])
    .map(({ last_evaluated_at }) => last_evaluated_at)
    .filter(Boolean)
    .sort();
  const waiting = alerts.value?.waiting_pages ?? 0;
  return [
    tile(
      "Health",
      figure(health, ({ status }) => badge(status, status === "ok" ? "good" : "bad")),
    ),
    tile(
      "Evaluation",
      figure(watchdog, ({ ok }) => badge(ok ? "on time" : "late", ok ? "good" : "bad")),
      { note: watchdog.value?.ok ? null : watchdog.value?.detail },
    ),
    tile(
      "Last tick",
      figure(alerts, () => (ticks.length ? ago(ticks.at(-1)) : "not yet")),
      { note: ticks.length ? time(ticks.at(-1)) : null },
    ),
    tile(
      "Age of the queue",
      figure(queues, () => seconds(oldest)),
      { tone: oldest > 60 ? "bad" : "" },
    ),
    tile(
      "Outbox",
      figure(alerts, () => int(waiting)),
      { note: "pages wait to be sent", tone: waiting ? "warn" : "" },
    ),
    tile(
      "Poison",
      figure(queues, () => int(setAside)),
      {
        note: setAside ? "messages: bin/ops poison list" : "messages set aside",
        tone: setAside ? "bad" : "",
      },
    ),
  ];
}

function checks({ checks: all }) {
  const row = ({ name, ok, detail, remedy }) => ({
    key: name,
    cells: [badge(ok ? "ok" : "not ok", ok ? "good" : "bad"), name, detail, remedy],
  });
  return grid(
    "Checks",
    ["state", "part", "detail", "remedy"].map((name) => ({ name })),
    all.map(row),
    "No check.",
  );
}

function listed({ queues }) {
  const row = ([name, { visible, invisible, oldest_age_s }]) => ({
    key: name,
    cells: [name, int(visible), int(invisible), seconds(oldest_age_s)],
  });
  return grid(
    "Queues",
    [
      { name: "queue" },
      { name: "waiting", number: true },
      { name: "at work", number: true },
      { name: "oldest", number: true },
    ],
    Object.entries(queues).map(row),
    "No queue yet.",
  );
}

function failing({ rules }) {
  const row = ({ rule, errors, last_error, last_good_at }) => ({
    key: rule,
    cells: [rule, int(errors), last_error, time(last_good_at, "never")],
  });
  return grid(
    "Rules without an answer",
    [{ name: "rule" }, { name: "failures", number: true }, { name: "error" }, { name: "last answer" }],
    rules.filter(({ errors }) => errors).map(row),
    "Every rule has its answer.",
  );
}

/** One chart for each of agentmeter's own metrics that has rows. */
function charts(own) {
  if (!own.value) return [panel("agentmeter's own metrics", own, () => null)];
  const names = [...new Set(own.value.map(({ Name }) => Name))].sort();
  if (!names.length) return [panel("agentmeter's own metrics", own, () => empty("No row in the last hour."))];
  return names.map((name) =>
    panel(name, own, (found) => {
      const mine = found.filter(({ Name }) => Name === name);
      const values = mine.map(({ Total, Items }) => (name.endsWith("_total") ? Total : Total / Items));
      return chart({
        label: name,
        kind: name.endsWith("_total") ? "bar" : "line",
        times: mine.map(({ At }) => Date.parse(At) / 1000),
        series: [{ name: name.endsWith("_total") ? "a minute" : "mean", values }],
        format: number,
        height: 130,
      });
    }),
  );
}
