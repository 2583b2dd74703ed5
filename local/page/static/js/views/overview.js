// What the fleet costs and how it does, now.
import { ask, parts, rows } from "../ask.js";
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { firstEvent } from "../first_event.js";
import { ago, int, money, percent, plural, seconds, short, usd } from "../format.js";
import { badge, empty, figure, grid, panel, tile, tiles } from "../parts.js";
import { href } from "../route.js";
import { ruleOf, said, whyOf } from "./incidents.js";

export const title = () => "Overview";
export const every_s = 5;

const HOUR_S = 3600;
const MINUTE_S = 60;
const NOW = `UsageEvents | where Name == "llm.call"
| summarize Calls = sum(Count), Failed = sumif(Count, Status == "error"), P95 = percentile(DurationS, 95)`;
const MINUTES = `UsageEvents | where Name == "llm.call"
| summarize Calls = sum(Count), Failed = sumif(Count, Status == "error"), Cost = sum(CostUsd)
    by At = bin(TimeGenerated, 1m)
| order by At asc`;

/** The first moment of this day and this month, by the viewer's clock. */
function starts() {
  const now = new Date();
  return {
    day: new Date(now.getFullYear(), now.getMonth(), now.getDate()),
    month: new Date(now.getFullYear(), now.getMonth(), 1),
  };
}

export function load(_, signal) {
  const costs = (by, from) => ask(`/api/costs?by=${by}&from=${from.toISOString()}`, { signal });
  const { day, month } = starts();
  const hour = new Date(Date.now() - HOUR_S * 1000);
  return parts({
    hour: costs("provider,model", hour),
    teams: costs("team", hour),
    day: costs("team", day),
    month: costs("team", month),
    now: rows(NOW, "PT1H", signal),
    minutes: rows(MINUTES, "PT1H", signal),
    budgets: ask("/api/budgets", { signal }),
    alerts: ask("/api/alerts", { signal }),
    incidents: ask("/incidents", { signal }),
    health: ask("/api/health", { signal }),
    any: rows("UsageEvents | take 1 | project TimeGenerated", "P30D", signal),
    stack: ask("/stack", { signal }),
  });
}

export function render(data) {
  if (data.any.value?.length === 0 && data.stack.value) return firstEvent(data.stack.value);
  return [
    tiles(...figures(data)),
    h(
      "div",
      { class: "panels" },
      panel("Spend by minute", data.minutes, (found) =>
        overTime("Spend by minute", "area", found, [["spend", "Cost", "--s0"]], usd),
      ),
      panel("Model calls by minute", data.minutes, (found) =>
        overTime(
          "Model calls by minute",
          "bar",
          found,
          [
            ["calls", "Calls", "--s1"],
            ["failed", "Failed", "--bad"],
          ],
          short,
        ),
      ),
      panel("Open incidents", data.incidents, incidents, {
        aside: h("a", { href: href("/incidents") }, "all incidents"),
      }),
      panel("Budgets", data.budgets, budgets),
      panel("Cost by model, last hour", data.hour, (bill) => spent(bill, ["provider", "model"])),
      panel("Cost by team, last hour", data.teams, (bill) => spent(bill, ["team"])),
    ),
  ];
}

function figures({ hour, day, month, now, incidents: seen, alerts, health }) {
  const spend = (name, part, href) =>
    tile(
      name,
      figure(part, (bill) => money(bill.total_usd)),
      {
        href,
        note: part.value?.unpriced_calls ? `${plural(part.value.unpriced_calls, "call")} unpriced` : null,
      },
    );
  const [{ Calls = 0, Failed = 0, P95 = null } = {}] = now.value ?? [];
  const open = (seen.value ?? []).filter(({ resolved_at }) => !resolved_at);
  const firing = (alerts.value?.rules ?? []).filter(({ state }) => state === "firing").length;
  return [
    spend("Spend, last hour", hour, href("/costs")),
    spend("Spend today", day),
    spend("Spend this month", month),
    tile(
      "Model calls, last hour",
      figure(now, () => int(Calls ?? 0)),
    ),
    tile(
      "Failed",
      figure(now, () => (Calls ? percent((100 * Failed) / Calls) : "–")),
      { note: Failed ? `${int(Failed)} calls` : null, tone: Calls && Failed / Calls > 0.05 ? "bad" : "" },
    ),
    tile(
      "p95 of a call",
      figure(now, () => seconds(P95 === "NaN" ? null : P95)),
    ),
    tile(
      "Open incidents",
      figure(seen, () => int(open.length)),
      {
        href: href("/incidents"),
        tone: open.length ? "bad" : seen.error || !seen.value ? "" : "good",
        note: firing ? plural(firing, "rule fires", "rules fire") : null,
      },
    ),
    tile(
      "Health",
      figure(health, ({ status }) => badge(status, status === "ok" ? "good" : "bad")),
      { href: href("/health") },
    ),
  ];
}

/** What the last hour's whole minutes come to. */
function overTime(label, kind, found, columns, format) {
  if (!found.length) return empty("No model call in the last hour.");
  const byMinute = new Map(found.map((row) => [Date.parse(row.At) / 1000, row]));
  const last = (Math.floor(Date.now() / 1000 / MINUTE_S) - 1) * MINUTE_S;
  const first = Math.max(Math.min(...byMinute.keys()), last - HOUR_S);
  const times = Array.from({ length: (last - first) / MINUTE_S + 1 }, (_, i) => first + i * MINUTE_S);
  const series = columns.map(([name, column, colour]) => ({
    name,
    colour,
    values: times.map((at) => byMinute.get(at)?.[column] ?? 0),
  }));
  return chart({ label, kind, times, series, format });
}

function incidents(all) {
  const open = all.filter(({ resolved_at }) => !resolved_at).reverse();
  const row = ({ dedup_key, severity, summary, opened_at }) => ({
    key: dedup_key,
    cells: [
      badge(severity),
      h("a", { href: whyOf(ruleOf(dedup_key)) }, said(summary)),
      h("span", { title: new Date(opened_at).toISOString() }, ago(opened_at)),
    ],
  });
  return grid(
    "Open incidents",
    [{ name: "severity" }, { name: "what" }, { name: "opened" }],
    open.map(row),
    "No incident is open.",
  );
}

function budgets({ budgets: all }) {
  if (!all.length)
    return empty(
      "No budget yet. Add one to ",
      h("code", {}, "config/budgets.toml"),
      "; docs/budgets.md shows how.",
    );
  return h("ul", { class: "budgets" }, all.map(budget));
}

function budget({
  name,
  period,
  spent_usd,
  amount_usd,
  percent: used,
  forecast_usd,
  unpriced_calls,
  thresholds,
}) {
  const fired = thresholds.filter(({ state }) => state === "firing").at(-1);
  const width = `${Math.min(100, used ?? 0)}%`;
  const tone = used >= 100 ? "bad" : used >= 80 || fired || unpriced_calls ? "warn" : "good";
  const meter = h("div", {
    class: `meter ${tone}`,
    role: "meter",
    "aria-label": `${name}, used`,
    "aria-valuenow": Math.round(used ?? 0),
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    style: { "--w": width },
  });
  return h(
    "li",
    { "data-key": name },
    h(
      "p",
      {},
      h("strong", {}, name),
      h("span", { class: "soft" }, ` this ${period}`),
      h("span", { class: "right" }, money(spent_usd, unpriced_calls), " of ", money(amount_usd)),
    ),
    meter,
    h(
      "p",
      { class: "soft" },
      unpriced_calls && used !== null ? `at least ${percent(used)} used` : `${percent(used)} used`,
      forecast_usd === null ? "" : h("span", {}, ", forecast ", money(forecast_usd)),
    ),
  );
}

const MOST_ROWS = 8;

function spent(bill, names) {
  const most = Math.max(...bill.rows.map(({ cost_usd }) => cost_usd ?? 0), 0);
  const row = (one) => ({
    key: names.map((name) => one[name]).join("/"),
    cells: [
      ...names.map((name) => one[name] ?? "(none)"),
      h(
        "span",
        { class: "share", style: { "--w": most ? `${(100 * (one.cost_usd ?? 0)) / most}%` : "0%" } },
        money(one.cost_usd, one.unpriced_calls),
      ),
      int(one.calls),
      short(one.input_tokens + one.output_tokens),
    ],
  });
  const columns = [
    ...names.map((name) => ({ name })),
    { name: "cost", number: true },
    { name: "calls", number: true },
    { name: "tokens", number: true },
  ];
  return grid(
    `Cost by ${names.join(" and ")}`,
    columns,
    bill.rows.slice(0, MOST_ROWS).map(row),
    "No model call in the last hour.",
  );
}
