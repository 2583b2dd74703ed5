// What the pager has: open incidents first, each with its way to why it fired.
import { ask, parts } from "../ask.js";
import { h } from "../dom.js";
import { ago, int, seconds, time } from "../format.js";
import { badge, grid, panel } from "../parts.js";
import { href } from "../route.js";

export const title = () => "Incidents";
export const every_s = 5;

/** The address of why a rule or an alert is as it is. id: as GET /api/alerts gives it. */
export const whyOf = (id) => href(`/why/${encodeURIComponent(id)}`);

/** The id of the rule that an incident's key ends with. */
export const ruleOf = (key) => key.split("/").slice(-2).join(".");

/** What happened, without the severity that stands beside it. */
export const said = (summary) => summary.replace(/^\[[A-Z]+\] /, "");

export const load = (_, signal) =>
  parts({ incidents: ask("/incidents", { signal }), alerts: ask("/api/alerts", { signal }) });

export function render({ incidents, alerts }) {
  const waiting = alerts.value?.waiting_pages;
  const aside = waiting
    ? h(
        "span",
        { class: "warn" },
        waiting === 1 ? "A page waits to be sent" : `${int(waiting)} pages wait to be sent`,
      )
    : null;
  return h(
    "div",
    { class: "panels" },
    panel(
      "Open",
      incidents,
      (all) =>
        listed(
          "Open incidents",
          all.filter(({ resolved_at }) => !resolved_at),
          "No incident is open.",
        ),
      { wide: true, aside },
    ),
    panel(
      "Resolved",
      incidents,
      (all) =>
        listed(
          "Resolved incidents",
          all.filter(({ resolved_at }) => resolved_at),
          "No incident so far.",
        ),
      { wide: true },
    ),
  );
}

function listed(caption, all, none) {
  const row = ({ dedup_key, severity, summary, opened_at, resolved_at, triggers }) => ({
    key: `${dedup_key} ${opened_at}`,
    cells: [
      badge(severity),
      h("a", { href: whyOf(ruleOf(dedup_key)) }, said(summary)),
      h(
        "span",
        {},
        time(opened_at),
        resolved_at ? null : h("span", { class: "soft" }, ` (${ago(opened_at)})`),
      ),
      resolved_at
        ? h(
            "span",
            {},
            time(resolved_at),
            h(
              "span",
              { class: "soft" },
              ` (after ${seconds(Math.round((Date.parse(resolved_at) - Date.parse(opened_at)) / 1000))})`,
            ),
          )
        : badge("open"),
      int(triggers),
    ],
  });
  const columns = [
    { name: "severity" },
    { name: "what" },
    { name: "opened" },
    { name: "until" },
    { name: "pages", number: true },
  ];
  return grid(caption, columns, all.toReversed().map(row), none, { cards: true });
}
