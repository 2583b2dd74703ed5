// How a workbook writes a value: number formats, thresholds, columns.
import { h } from "../dom.js";
import { exact, number, seconds, short, time, usd } from "../format.js";
import { FORMATTERS, TONES, UNITS } from "./features.js";

/** A number of a cell; null for what is none ("NaN" of an empty average, too). */
export function numeric(value) {
  if (value === null || value === undefined || value === "") return null;
  return Number.isFinite(Number(value)) ? Number(value) : null;
}

/** Return the function that writes numbers of a number format. */
export function writer(format) {
  const { unit = UNITS.PLAIN, options = {} } = format ?? {};
  const { style, maximumFractionDigits: most, minimumFractionDigits: least, useGrouping } = options;
  const digits = {
    maximumFractionDigits: most ?? 2,
    minimumFractionDigits: Math.min(least ?? 0, most ?? 2),
    useGrouping,
  };
  const write = (value) => value.toLocaleString("en", digits);
  const BY_UNIT = {
    [UNITS.PERCENT]: (value) => `${write(value)} %`,
    [UNITS.SECONDS]: seconds,
    [UNITS.MILLISECONDS]: (value) => seconds(value / 1000),
    [UNITS.SHORT]: short,
  };
  const BY_STYLE = { currency: usd, percent: (value) => `${write(value * 100)} %` };
  const chosen = BY_STYLE[style] ?? BY_UNIT[unit] ?? (format ? write : number);
  return (value) => (numeric(value) === null ? "–" : chosen(numeric(value)));
}

/** Tell whether both are numbers that compare so. */
const compared = (value, limit, fits) => {
  const size = numeric(value);
  return size !== null && fits(size, Number(limit));
};

/** @type {Record<string, (value: any, limit: string) => boolean>} */
const TESTS = {
  Default: (value) => value !== null && value !== "",
  "==": (value, limit) =>
    String(value) === limit || (numeric(value) !== null && numeric(value) === numeric(limit)),
  "!=": (value, limit) => !TESTS["=="](value, limit),
  ">": (value, limit) => compared(value, limit, (one, other) => one > other),
  ">=": (value, limit) => compared(value, limit, (one, other) => one >= other),
  "<": (value, limit) => compared(value, limit, (one, other) => one < other),
  "<=": (value, limit) => compared(value, limit, (one, other) => one <= other),
  contains: (value, part) => String(value).includes(part),
  "is Empty": (value) => value === null || value === "",
};

/** The tone of the first threshold that fits, "" for none. */
export function toneOf(value, rule) {
  if (rule?.formatter !== FORMATTERS.THRESHOLDS) return "";
  const fits = rule.formatOptions.thresholdsGrid.find(({ operator, thresholdValue }) =>
    TESTS[operator](value, thresholdValue),
  );
  return fits ? TONES[fits.representation] : "";
}

/** A value as text or node, by the rule of its column and its type. */
export function shown(value, type, rule) {
  if (value === null || value === undefined || value === "")
    return rule?.numberFormat?.emptyValCustomText ?? "–";
  if (type === "datetime" || rule?.formatter === FORMATTERS.DATE) return time(value);
  if (["real", "long", "int", "decimal"].includes(type) && numeric(value) !== null)
    return h("data", { value, title: exact(value) }, writer(rule?.numberFormat)(value));
  return String(value);
}

/** The rule of a column: the first whose expression fits. */
export const ruleOf = (rules, column) =>
  (rules ?? []).find(({ columnMatch }) => new RegExp(columnMatch).test(column));
