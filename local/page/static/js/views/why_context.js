// What surrounds an alert: its values against the limit, who contributes, events, episodes before.
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { exact, money, number, seconds, time, usd } from "../format.js";
import { badge, empty, grid, trouble } from "../parts.js";
import { href } from "../route.js";

/** Write values in the rule's unit. */
const written =
  ({ before, after }) =>
  (value) =>
    before === "$"
      ? `${usd(value)}${after ? ` ${after}` : ""}`
      : `${number(value)}${after ? ` ${after}` : ""}`;

/** Draw a part that may have had no answer. */
const answered = (part, none, draw) => {
  if (part?.error) return trouble(new Error(part.error));
  return part?.value ? draw(part.value) : empty(none);
};

export const values = (found) =>
  answered(found.chart, "The rule is no more.", (told) => {
    const { points, limit, unit, look, condition } = told;
    if (!points.some(({ value }) => value !== null)) return empty("Its query had no value in this time.");
    const moment = (name, iso, tone) => (iso ? [{ name, at: Date.parse(iso) / 1000, tone }] : []);
    return chart({
      label: `Values of the ${look} condition, which fires when ${condition}`,
      kind: "line",
      times: points.map(({ at }) => Date.parse(at) / 1000),
      series: [
        { name: look === "main" ? "value" : "value in 15 s", values: points.map(({ value }) => value) },
      ],
      limits: [{ name: "limit", value: limit }],
      marks: [
        ...moment("fired", found.fired_at, "--bad"),
        ...moment("over", found.ended_at, "--good"),
        ...found.marks.map(({ at, kind, text }) => ({ name: `${kind}: ${text}`, at: Date.parse(at) / 1000 })),
      ],
      format: written(unit),
      height: 220,
    });
  });

export const contributors = (found) =>
  answered(found.contributors, "The rule names no contributors.", ({ columns, rows }) => {
    const isNumber = columns.map((_, i) => rows.some((row) => typeof row[i] === "number"));
    const cell = (value, i) =>
      value === null || value === ""
        ? "(none)"
        : typeof value !== "number"
          ? String(value)
          : columns[i].endsWith("Usd")
            ? money(value)
            : h("data", { value, title: exact(value) }, number(value));
    const heads = columns.map((name, i) => ({ name: spaced(name), number: isNumber[i] }));
    return grid(
      "Contributors",
      heads,
      rows.map((row) => row.map(cell)),
      "Nothing contributed.",
    );
  });

/** A column's name as words: TeamId → team. */
const spaced = (name) =>
  name
    .replace(/Id$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();

export const events = (found) =>
  answered(found.events, "The rule does not sum up events.", (all) => {
    const row = (one) => ({
      key: `${one.source} ${one.id}`,
      cells: [
        h("a", { href: href("/event", { id: one.id, source: one.source }) }, time(one.at)),
        [one.provider, one.model, one.operation, one.error_type].filter(Boolean).join(" ") || one.type,
        [one.team_id, one.agent_id ?? one.agent_type].filter(Boolean).join(" / "),
        one.status ? badge(one.status, one.status === "success" ? "good" : "bad") : "",
        one.duration_s === undefined ? "–" : seconds(one.duration_s),
      ],
    });
    const names = ["when", "what", "who", "status"].map((name) => ({ name }));
    return grid(
      "Events",
      [...names, { name: "took", number: true }],
      all.map(row),
      "No such event in the window.",
    );
  });

export function before({ before: episodes }) {
  const row = ({ fired_at, ended_at, value, verdict }) => [
    time(fired_at),
    ended_at ? seconds(Math.round((Date.parse(ended_at) - Date.parse(fired_at)) / 1000)) : "–",
    value === null ? "–" : h("data", { value, title: exact(value) }, number(value)),
    verdict ? badge(verdict, verdict === "real" ? "bad" : "muted") : "",
  ];
  const columns = [
    { name: "fired" },
    { name: "lasted", number: true },
    { name: "value", number: true },
    { name: "verdict" },
  ];
  return grid("Episodes before", columns, episodes.map(row), "It has not fired before, as far as is kept.");
}
