// Writes numbers, money and times for people; what is rounded is whole in the title.
import { h } from "./dom.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const int = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const short = (value) => (Math.abs(value) < 10_000 ? number(value) : compact.format(value));

/** Three significant digits, but never fewer than the whole number has. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "–";
  const size = Math.abs(Number(value));
  return Number(value).toLocaleString(
    "en",
    size >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}

/** Dollars: cents from a dollar on, four digits after the point below; what is smaller says so. */
export function usd(value) {
  if (value === null || value === undefined) return "unknown";
  const size = Math.abs(value);
  if (size > 0 && size < 0.0001) return value < 0 ? "> -$0.0001" : "< $0.0001";
  const digits = size >= 1 || size === 0 ? 2 : 4;
  const sign = value < 0 ? "-" : "";
  return `${sign}$${size.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** All digits of a number, without an exponent. */
export function exact(value) {
  return Number(value).toLocaleString("en", {
    useGrouping: false,
    maximumFractionDigits: 20,
    maximumSignificantDigits: 17,
  });
}

/** An amount with what is not in it: an unknown price is never shown as zero. */
export function money(value, unpriced = 0) {
  if (value === null || value === undefined || (unpriced && !value))
    return h("span", { class: "warn" }, "unknown");
  const shown = h("data", { value, title: `$${exact(value)}` }, usd(value));
  return unpriced
    ? h("span", {}, shown, h("span", { class: "warn" }, ` + ${int(unpriced)} unpriced`))
    : shown;
}

export const percent = (value) => (value === null || value === undefined ? "–" : `${number(value)} %`);

/** Seconds, as people say them. */
export function seconds(value) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "–";
  const size = Number(value);
  if (size === 0) return "0 s";
  if (size < 1) return `${number(size * 1000)} ms`;
  if (size < 60) return `${number(size)} s`;
  if (size < 3600) return two(Math.round(size), 60, "min", 1, "s");
  return size < 172_800 ? two(size, 3600, "h", 60, "min") : `${number(size / 86_400)} d`;
}

/** A length in two units, the smaller one where it is not nothing. */
function two(size, whole, name, part, rest) {
  const left = Math.round((size % whole) / part);
  return `${Math.floor(size / whole)} ${name}${left ? ` ${left} ${rest}` : ""}`;
}

const clock = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dated = new Intl.DateTimeFormat([], {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

export const sameDay = (one, other) => one.toDateString() === other.toDateString();

/** A moment in local time, its day where that is not today; UTC in the title. */
export function time(iso, none = "–") {
  if (!iso) return none;
  const at = new Date(iso);
  const text = (sameDay(at, new Date()) ? clock : dated).format(at);
  return h(
    "time",
    { datetime: iso, title: `${at.toISOString().replace("T", " ").replace("Z", "")} UTC` },
    text,
  );
}

/** How long ago, or how long until, in its largest unit. */
export function ago(iso) {
  const gone = Math.round((Date.now() - Date.parse(iso)) / 1000);
  if (Math.abs(gone) < 1) return "now";
  return gone < 0 ? `in ${roughly(-gone)}` : `${roughly(gone)} ago`;
}

function roughly(size) {
  if (size < 60) return `${size} s`;
  if (size < 3600) return `${Math.floor(size / 60)} min`;
  return size < 172_800 ? `${Math.floor(size / 3600)} h` : `${Math.floor(size / 86_400)} d`;
}

export const plural = (count, one, many = `${one}s`) => `${int(count)} ${count === 1 ? one : many}`;
