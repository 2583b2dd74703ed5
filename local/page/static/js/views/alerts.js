// The state of every rule, and the silences: made and ended here.
import { ask, parts } from "../ask.js";
import { h } from "../dom.js";
import { ago, number, plural, time } from "../format.js";
import { badge, empty, field, grid, panel, say, select } from "../parts.js";
import { go, href } from "../route.js";
import { whyOf } from "./incidents.js";

export const title = () => "Alerts and silences";
export const every_s = 5;

const ORDER = ["firing", "pending", "inactive"];
const LENGTHS = [
  ["1", "1 hour"],
  ["2", "2 hours"],
  ["4", "4 hours"],
  ["8", "8 hours"],
  ["24", "1 day"],
  ["168", "1 week"],
];
const HOUR_MS = 3_600_000;

export function load(_, signal) {
  return parts({ alerts: ask("/api/alerts", { signal }), silences: ask("/api/silences", { signal }) });
}

export function render({ alerts, silences }, { params }, refresh) {
  return h(
    "div",
    { class: "panels" },
    panel("Rules", alerts, rules, { wide: true }),
    panel("Alerts that are pending or firing", alerts, series, { wide: true }),
    panel("Silences", silences, (found) => listed(found, refresh), { wide: true }),
    panel("New silence", {}, () => form(params, refresh), { wide: true }),
  );
}

function rules({ rules: all }) {
  const sorted = [...all].sort(
    (one, other) =>
      ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.rule.localeCompare(other.rule),
  );
  const row = (one) => {
    const [name, severity] = one.rule.split(/\/(?=[^/]*$)/);
    const trouble = one.errors
      ? h("span", { class: "bad" }, `${plural(one.errors, "failure")}: ${one.last_error}`)
      : null;
    return {
      key: one.rule,
      tone: one.state,
      cells: [
        badge(one.state),
        h("a", { href: whyOf(one.id ?? one.rule.replace("/", ".")) }, name),
        badge(severity),
        one.group,
        h("span", {}, time(one.last_evaluated_at, "not yet"), trouble && h("br"), trouble),
        one.muted_by ? badge(one.muted_by, "muted") : "",
        h(
          "a",
          { class: "button quiet", href: href("/alerts", { alertname: name }) },
          "Silence",
          h("span", { class: "hidden" }, ` ${name}`),
        ),
      ],
    };
  };
  const columns = ["state", "rule", "severity", "group", "last evaluated", "muted by", "action"].map(
    (name) => ({ name }),
  );
  return grid("Rules", columns, sorted.map(row), "No rule. Add one to config/rules/.");
}

function series({ alerts: all }) {
  const row = (one) => ({
    key: `${one.alert}/${one.severity}/${JSON.stringify(one.labels)}`,
    cells: [
      badge(one.state),
      h("a", { href: whyOf(one.id ?? `${one.alert}.${one.severity}`) }, one.alert),
      labels(one.labels),
      number(one.value),
      h("span", {}, time(one.since), ` (${ago(one.since)})`),
      time(one.fired_at),
    ],
  });
  const columns = [
    { name: "state" },
    { name: "alert" },
    { name: "labels" },
    { name: "value", number: true },
    { name: "since" },
    { name: "fired" },
  ];
  return grid("Alerts", columns, all.map(row), "All is well: no alert is pending or firing.");
}

const labels = (given) =>
  Object.entries(given).map(([name, value]) => h("code", { class: "label" }, `${name}=${value}`));

function listed({ silences: all }, refresh) {
  const states = ["active", "pending", "ended"];
  const sorted = [...all].sort(
    (one, other) =>
      states.indexOf(one.state) - states.indexOf(other.state) ||
      other.starts_at?.localeCompare(one.starts_at),
  );
  const row = (one) => ({
    key: one.id,
    cells: [
      badge(one.state),
      one.matchers.map((matcher) => h("code", { class: "label" }, matcher)),
      one.recurrence
        ? h("span", {}, when(one.recurrence))
        : h("span", {}, time(one.starts_at, "always"), " to ", time(one.ends_at, "always")),
      one.author || one.kind,
      one.comment,
      one.kind === "silence" && one.state !== "ended" ? ending(one, refresh) : "",
    ],
  });
  const columns = ["state", "mutes", "when", "by", "comment", "action"].map((name) => ({ name }));
  return all.length ? grid("Silences", columns, sorted.map(row), "") : empty("Nothing is silenced.");
}

const when = ({ days, from, to, zone }) =>
  `${days?.join(", ") ?? "every day"} ${from}–${to} ${zone ?? "UTC"}`;

function ending({ id, matchers }, refresh) {
  const end = async () => {
    try {
      await ask(`/api/silences/${encodeURIComponent(id)}`, { method: "DELETE" });
      say("The silence has ended.");
    } catch (error) {
      say(error.message, "bad");
    }
    refresh();
  };
  return h(
    "button",
    { type: "button", class: "quiet", onclick: end },
    "End",
    h("span", { class: "hidden" }, ` the silence of ${matchers.join(", ")}`),
  );
}

function form(params, refresh) {
  const asked = [...params].map(([name, value]) => `${name}=${value}`).join("\n");
  return h(
    "form",
    {
      id: "new-silence",
      "data-key": `silence-${asked}`,
      onsubmit: (event) => {
        event.preventDefault();
        make(event.target, refresh);
      },
    },
    field(
      "Mutes alerts with",
      h(
        "textarea",
        {
          name: "matchers",
          rows: 3,
          required: true,
          placeholder: "alertname=HighErrorRate",
          spellcheck: "false",
        },
        asked,
      ),
      "One matcher a line; all must match. =, !=, =~ and !~ of a label, alertname or severity.",
    ),
    field("For", select("hours", LENGTHS, "2")),
    field("Your name", h("input", { name: "author", required: true, maxlength: 200, autocomplete: "name" })),
    field("Why", h("input", { name: "comment", maxlength: 2000, placeholder: "deploying" })),
    h("p", {}, h("button", { type: "submit" }, "Silence")),
  );
}

async function make(form, refresh) {
  /** @type {Record<string, any>} every field is a text */
  const given = Object.fromEntries(new FormData(form));
  const body = {
    matchers: given.matchers
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
    ends_at: new Date(Date.now() + given.hours * HOUR_MS).toISOString(),
    author: given.author,
    comment: given.comment,
  };
  try {
    await ask("/api/silences", { body });
    say("Silenced.");
    form.reset();
    go("/alerts");
  } catch (error) {
    return say(error.message, "bad");
  }
  return refresh();
}
