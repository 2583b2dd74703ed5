// The parameters of a workbook: their choices, their values, their controls.
import { rows } from "../ask.js";
import { h } from "../dom.js";
import { field, select } from "../parts.js";
import { DROP_DOWN, TIME_RANGE } from "./features.js";
import { substitute } from "./substitute.js";

const ALL = "value::all";
const SEPARATOR = "\u001f";
const HOUR_MS = 3_600_000;

/** Resolve the parameters in their order: one may be put into the query of a later one. given: URLSearchParams. */
export async function resolve(parameters, given, now, signal) {
  const values = {};
  const choices = {};
  for (const parameter of parameters) {
    const asked = given.get(parameter.name);
    if (parameter.type === TIME_RANGE)
      values[parameter.name] = { range: rangeOf(parameter, asked, now), asked };
    else if (parameter.type === DROP_DOWN) {
      choices[parameter.name] = await optionsOf(parameter, values, signal);
      values[parameter.name] = chosen(parameter, choices[parameter.name], asked);
    } else
      values[parameter.name] = {
        text: asked ?? parameter.value ?? "",
        label: asked ?? parameter.value ?? "",
      };
  }
  return { values, choices };
}

/** A range is asked for as its length in ms, or as `start/end`. */
function rangeOf({ value, typeSettings }, asked, now) {
  const [start, end] = (asked ?? "").split("/").map((text) => new Date(text));
  if (end && start < end)
    return { start, end, label: `${start.toLocaleString()} to ${end.toLocaleString()}` };
  const lengths = (typeSettings?.selectableValues ?? []).map(({ durationMs }) => durationMs);
  const length = lengths.includes(Number(asked)) ? Number(asked) : value.durationMs;
  return { start: new Date(now - length), end: new Date(now), label: lengthOf(length), length };
}

const lengthOf = (ms) =>
  ms < HOUR_MS
    ? `Last ${ms / 60_000} minutes`
    : ms < 48 * HOUR_MS
      ? ms === HOUR_MS
        ? "Last hour"
        : `Last ${ms / HOUR_MS} hours`
      : `Last ${ms / HOUR_MS / 24} days`;

async function optionsOf({ jsonData, query, timeContextFromParameter, typeSettings }, values, signal) {
  const found = jsonData
    ? JSON.parse(jsonData)
    : await rows(substitute(query, values), span(values[timeContextFromParameter]), signal);
  const plain = found.map((row) => (typeof row === "object" ? row : { value: row }));
  const options = plain.map((row) => ({
    value: String(row.value ?? Object.values(row)[0]),
    label: String(row.label ?? row.value ?? Object.values(row)[0]),
  }));
  return (typeSettings?.additionalResourceOptions ?? []).includes(ALL)
    ? [{ value: ALL, label: "All" }, ...options]
    : options;
}

/** Many are quoted and joined; all of them are `selectAllValue` where there is one. */
function chosen({ multiSelect, quote = "", delimiter = ",", value, typeSettings }, options, asked) {
  const wanted = asked !== null ? asked.split(SEPARATOR) : [value ?? []].flat();
  const known = new Map(options.map((option) => [option.value, option.label]));
  const picked = wanted.filter((one) => known.has(one));
  const label = picked.map((one) => known.get(one)).join(", ");
  if (!multiSelect) return { text: picked[0] ?? "", label, picked };
  const isAll = picked.includes(ALL);
  const all = typeSettings?.selectAllValue
    ? [typeSettings.selectAllValue]
    : options.map((option) => option.value).filter((one) => one !== ALL);
  const texts = (isAll ? all : picked).map((one) => `${quote}${one}${quote}`);
  return { text: texts.join(delimiter), label: isAll ? "All" : label || "None", picked };
}

/** The timespan of the query API for a time parameter. */
export const span = (value) =>
  value?.range ? `${value.range.start.toISOString()}/${value.range.end.toISOString()}` : null;

/** Return the controls. change(name, text): the reader chose; null for the default. */
export function controls(parameters, { values, choices }, change) {
  return h(
    "form",
    { class: "parameters", onsubmit: (event) => event.preventDefault() },
    parameters.map((parameter) =>
      control(parameter, values[parameter.name], choices[parameter.name], (text) =>
        change(parameter.name, text),
      ),
    ),
  );
}

function control(parameter, value, options, change) {
  const label = parameter.label ?? parameter.name;
  if (parameter.type === TIME_RANGE) return rangeControl(parameter, label, value, change);
  if (!options)
    return field(
      label,
      h("input", {
        name: parameter.name,
        value: value.text,
        onchange: (event) => change(event.target.value),
      }),
    );
  if (parameter.multiSelect) return many(parameter.name, label, value, options, change);
  return field(
    label,
    select(
      parameter.name,
      options.map((option) => [option.value, option.label]),
      value.picked[0],
      { onchange: (event) => change(event.target.value) },
    ),
  );
}

const CUSTOM = "custom";

function rangeControl({ name, typeSettings }, label, { range }, change) {
  const lengths = typeSettings.selectableValues.map(({ durationMs }) => [
    String(durationMs),
    lengthOf(durationMs),
  ]);
  const options = typeSettings.allowCustom ? [...lengths, [CUSTOM, "Custom …"]] : lengths;
  const iso = (moment) =>
    new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const choose = ({ target }) =>
    change(
      target.value === CUSTOM ? `${range.start.toISOString()}/${range.end.toISOString()}` : target.value,
    );
  const list = field(
    label,
    select(name, options, range.length ? String(range.length) : CUSTOM, { onchange: choose }),
  );
  if (range.length) return list;
  const both = ({ target }) => {
    const [start, end] = target.closest(".range").querySelectorAll("input");
    if (start.value && end.value && start.value < end.value)
      change(`${new Date(start.value).toISOString()}/${new Date(end.value).toISOString()}`);
  };
  return h(
    "div",
    { class: "range" },
    list,
    field("From", h("input", { type: "datetime-local", value: iso(range.start), onchange: both })),
    field("To", h("input", { type: "datetime-local", value: iso(range.end), onchange: both })),
  );
}

/** Boxes to tick; All is what is left where none is ticked. */
function many(name, label, { picked, label: shown }, options, change) {
  const tick = ({ target }) => {
    const others = picked.filter((one) => one !== ALL && one !== target.value);
    const now = target.value === ALL ? [] : target.checked ? [...others, target.value] : others;
    change(now.length ? now.join(SEPARATOR) : null);
  };
  const box = (option) =>
    h(
      "label",
      { "data-key": `${option.value} ${picked.includes(option.value)}` },
      h("input", {
        type: "checkbox",
        value: option.value,
        checked: picked.includes(option.value),
        onchange: tick,
      }),
      option.label,
    );
  return h(
    "div",
    { class: "field" },
    h("span", {}, label),
    h(
      "details",
      { class: "many", "data-parameter": name },
      h("summary", {}, h("span", { class: "hidden" }, `${label}: `), shown),
      h("fieldset", {}, h("legend", { class: "hidden" }, label), options.map(box)),
    ),
  );
}
