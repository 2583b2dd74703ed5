// The pieces that every view is put together from.
import { isAbsent } from "./ask.js";
import { byId, h } from "./dom.js";
import { ago, int, time } from "./format.js";

/**
 * A titled section; draw(value) returns its content.
 * @param {string} title
 * @param {{value?: any, error?: Error, at?: Date, pending?: boolean}} part
 * @param {(value: any) => unknown} draw
 * @param {{id?: string, aside?: Node | null, wide?: boolean}} options
 */
export function panel(title, part, draw, { id = slug(title), aside = null, wide = false } = {}) {
  const content = drawn(part, draw);
  const heading = h("header", {}, h("h2", { id: `h-${id}` }, title), aside);
  return h(
    "section",
    {
      class: ["panel", wide && "wide", part.error && !isAbsent(part.error) && "lost"]
        .filter(Boolean)
        .join(" "),
      "aria-labelledby": `h-${id}`,
      "aria-busy": part.pending ? "true" : null,
      "data-key": id,
    },
    heading,
    content,
  );
}

/**
 * What is had of a part; where that failed, why, and what was had before with its age.
 * @param {{value?: any, error?: Error, at?: Date, pending?: boolean}} part
 * @param {(value: any) => unknown} draw
 */
function drawn({ value, error, at, pending }, draw) {
  if (pending && value === undefined)
    return h("div", { class: "bone" }, h("p", { class: "hidden" }, "Loading …"));
  if (error && isAbsent(error)) return empty(error.message);
  if (error && value === undefined) return trouble(error);
  try {
    return [error && stale(error, at), draw(value)];
  } catch (fault) {
    console.error(fault);
    return trouble(
      new Error(`It is not what this page expects (${fault.message}). Reload the page; else report this.`),
    );
  }
}

const stale = (error, at) =>
  h(
    "p",
    { class: "trouble" },
    h("strong", {}, "Not up to date. "),
    error.message,
    " Shown is what was known at ",
    time(at.toISOString()),
    `, ${ago(at.toISOString())}.`,
  );

/** A figure of a part: … while it is awaited, ? where it is not known; one that is old says so. */
export function figure({ value, error, at, pending }, draw) {
  if (value === undefined) return pending ? "…" : h("span", { class: "warn", title: error?.message }, "?");
  if (!error) return draw(value);
  return h(
    "span",
    {},
    draw(value),
    h("span", { class: "warn", title: error.message }, ` ${ago(at.toISOString())}`),
  );
}

export const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** What is shown where something could not be had. */
export const trouble = (error) =>
  h("p", { class: "trouble" }, h("strong", {}, "Cannot be shown. "), error.message);

export const empty = (...text) => h("p", { class: "empty" }, ...text);

/** Grey bars while nothing is known yet. */
export const loading = () =>
  h(
    "div",
    { class: "loading", "aria-busy": "true" },
    h("p", { class: "hidden" }, "Loading …"),
    ...Array.from({ length: 4 }, () => h("div", { class: "bone" })),
  );

/**
 * One figure. note: a line below it.
 * @param {string} name
 * @param {unknown} value
 * @param {{note?: unknown, tone?: string, href?: string}} options tone: good, warn or bad.
 */
export function tile(name, value, { note = null, tone = "", href } = {}) {
  const label = href ? h("a", { href }, name) : name;
  return h(
    "div",
    { class: `tile ${tone}`, "data-key": slug(name) },
    h("dt", {}, label),
    h("dd", { class: "figure" }, value),
    note && h("dd", { class: "note" }, note),
  );
}

export const tiles = (...all) => h("dl", { class: "tiles" }, ...all);

/** A word with a colour and a shape: colour alone says nothing to some. */
const MARKS = {
  firing: "●",
  critical: "▲",
  error: "▲",
  bad: "●",
  pending: "◐",
  warning: "◆",
  warn: "◆",
  muted: "◌",
  info: "○",
  inactive: "○",
  good: "✓",
  ok: "✓",
  active: "●",
  ended: "○",
  resolved: "✓",
  open: "●",
};
export const badge = (word, tone = word) =>
  h("span", { class: `badge ${tone}` }, h("span", { "aria-hidden": "true" }, `${MARKS[tone] ?? "○"} `), word);

/**
 * A table. columns: [{name, number?, head?: a node in place of the name, sorted?: ascending or descending}]; rows: [{key, cells, tone?}] or arrays of cells, a cell is a text or a node.
 * On a narrow screen it scrolls by itself; with `cards`, each row is a card there.
 */
export function grid(caption, columns, rows, none, { atOnce = ROWS_AT_ONCE, cards = false } = {}) {
  if (!rows.length) return empty(none);
  const head = h(
    "tr",
    {},
    columns.map(({ name, number, head, sorted }) =>
      h("th", { scope: "col", class: number ? "n" : null, "aria-sort": sorted }, head ?? name),
    ),
  );
  const most = shown.get(caption) ?? atOnce;
  const body = rows.slice(0, most).map((row) => {
    const { key, cells, tone } = Array.isArray(row) ? { cells: row } : row;
    return h(
      "tr",
      { "data-key": key, class: tone, role: cards ? "row" : null },
      cells.map((cell, i) =>
        h(
          "td",
          {
            class: columns[i].number ? "n" : null,
            role: cards ? "cell" : null,
            "data-name": cards ? columns[i].name : null,
          },
          cell ?? "–",
        ),
      ),
    );
  });
  const table = h(
    "table",
    cards ? { class: "cards", role: "table" } : {},
    h("caption", { class: "hidden" }, caption),
    h("thead", {}, head),
    h("tbody", {}, body),
  );
  return rows.length <= most
    ? scrolls(caption, table)
    : [scrolls(caption, table), more(caption, most, rows.length)];
}

/** Which of how many rows are shown, and the way to the others. */
export function turning(offset, shown, all, next, size, to) {
  return h(
    "p",
    { class: "turning" },
    h(
      "span",
      { class: "soft" },
      shown
        ? `${int(offset + 1)}–${int(offset + shown)} of ${int(all)}`
        : `none from ${int(offset)} on, of ${int(all)}`,
    ),
    offset ? h("a", { href: to(Math.max(0, offset - size)) }, "previous") : null,
    next === null ? null : h("a", { href: to(next) }, "next"),
  );
}

const ROWS_AT_ONCE = 100;
/** Caption of a table → how many rows of it a person wants to see. */
const shown = new Map();

/** The way to the rows that are not shown yet. */
function more(caption, most, all) {
  const onclick = () => {
    shown.set(caption, most + ROWS_AT_ONCE);
    dispatchEvent(new Event("redraw"));
  };
  return h(
    "p",
    { class: "turning" },
    h("span", { class: "soft" }, `The first ${int(most)} of ${int(all)}`),
    h(
      "button",
      { type: "button", class: "quiet", onclick },
      `Show ${int(Math.min(ROWS_AT_ONCE, all - most))} more`,
    ),
  );
}

/** What may be wider than the screen, in reach of the keyboard. */
export const scrolls = (label, content) =>
  h("div", { class: "scroll", role: "group", "aria-label": label, tabindex: "0" }, content);

/**
 * A labelled field of a form; a view has one of each label.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string | null} hint
 */
export function field(label, control, hint = null) {
  control.id = `f-${slug(label)}`;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    hint && h("small", { id: `${control.id}-hint` }, hint),
  );
}

export function select(name, options, chosen, props = {}) {
  return h(
    "select",
    { name, ...props },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
}

/** Code that is to be copied. */
export function code(text, label) {
  const copy = h(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () => navigator.clipboard.writeText(text).then(() => say("Copied.")),
    },
    "Copy",
  );
  return h("div", { class: "code" }, scrolls(label, h("pre", {}, h("code", {}, text))), copy);
}

/** @type {number | undefined} */
let saying;

/** Tell the person, aloud too. */
export function say(text, tone = "good") {
  const place = byId("said");
  place.dataset.tone = tone;
  place.textContent = text;
  clearTimeout(saying);
  saying = setTimeout(
    () => {
      place.textContent = "";
    },
    tone === "bad" ? 12_000 : 5_000,
  );
}
