// The address of the Costs view is its state: what it says, and what is asked of the API for it.

export const BUCKETS = ["hour", "day", "week", "month"];
export const ROWS = 50;
export const CALLS = 50;
export const TO_MOVERS = { sort: "change", top: 6, offset: null, order: null, bucket: null };
/** From the coarse to the fine: what a row narrows down to next. */
const NEXT = ["team", "agent_type", "agent", "mission", "model"];
const OWN = [
  "period",
  "by",
  "bucket",
  "compare",
  "sort",
  "order",
  "offset",
  "list",
  "csort",
  "coffset",
  "from",
  "to",
];
/** The step of a chart of a period. */
const stepOf = (period) =>
  /^(today|yesterday|\d+h)$/.test(period) ? "hour" : period.endsWith("year") ? "month" : "day";

export const labelled = (name) => name.replaceAll("_", " ");

/** A value as a filter has it: null is that of calls which named none. */
export const escaped = (value) =>
  value === null ? "(none)" : value === "(none)" ? "\\(none)" : value.replace(/[\\,]/g, "\\$&");

/** The values of a filter, for people. */
export const unescaped = (text) =>
  (text.match(/(\\[\\,(]|[^,])+/g) ?? [""]).map((value) => value.replace(/\\([\\,(])/g, "$1"));

/** Return the state; `with(changes)` gives the parameters of another one, null takes a parameter away. */
export function read(params) {
  const given = Object.fromEntries(params);
  const get = (name, none) => given[name] || none;
  const by = get("by", "model").split(",");
  return {
    period: get("period", "24h"),
    by,
    bucket: get("bucket", ""),
    compare: get("compare", ""),
    sort: get("sort", "cost"),
    order: get("order", "desc"),
    offset: Number(get("offset", 0)),
    list: get("list", ""),
    csort: get("csort", "cost"),
    coffset: Number(get("coffset", 0)),
    filters: Object.entries(given).filter(([name]) => !OWN.includes(name)),
    with: (changes) => ({ ...given, ...changes }),
    given,
  };
}

/** The time and the filters, as both routes take them. */
function common({ period, filters, given }) {
  const when = given.from ? { from: given.from, to: given.to } : { period };
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { ...when, timezone, ...Object.fromEntries(filters) };
}

const query = (asked) =>
  new URLSearchParams(
    Object.entries(asked).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );

/** The parameters of GET /api/costs. */
export function apiOf(state, changes = {}) {
  const { by, sort, order, offset, compare, bucket, period, given } = state;
  const step = bucket || (given.from ? "day" : stepOf(period));
  return query({
    by: by.join(","),
    ...common(state),
    bucket: step,
    compare: compare || "previous",
    sort,
    order: order === "asc" ? order : null,
    top: ROWS,
    offset: offset || null,
    ...changes,
  });
}

/** The parameters of GET /api/costs/calls. */
export const callsOf = (state) =>
  query({ ...common(state), sort: state.csort, top: CALLS, offset: state.coffset || null });

/** What to show when one chooses this row: its part, by the next dimension, and at last its calls. */
export function narrowed(state, row) {
  const own = Object.fromEntries(state.by.map((name) => [name, escaped(row[name])]));
  const told = new Set([...state.filters.map(([name]) => name), ...state.by]);
  const next = NEXT.find((name) => !told.has(name));
  const kept = state.with({ ...own, offset: null, sort: null, order: null, coffset: null });
  return next ? { ...kept, by: next } : { ...kept, list: "calls" };
}

/** The calls of a row. */
export const callsOfRow = (state, row) =>
  state.with({
    ...Object.fromEntries(state.by.map((name) => [name, escaped(row[name])])),
    ...{ offset: null, list: "calls", coffset: null },
  });

/** All but this row. */
export function without(state, row) {
  const [name] = state.by;
  const before = state.given[`not_${name}`];
  return state.with({
    [`not_${name}`]: [before, escaped(row[name])].filter(Boolean).join(","),
    offset: null,
  });
}
