// Puts the values of parameters into a text, by the rules of Workbooks.

const REFERENCE = /\{([A-Za-z_]\w*)(?::([A-Za-z]+))?\}/g;
const BINS_MOST = 100;
/** @type {[string, number][]} */
const GRAINS = [
  ["1m", 60],
  ["5m", 300],
  ["15m", 900],
  ["30m", 1800],
  ["1h", 3600],
  ["6h", 21_600],
  ["1d", 86_400],
];

/** A time range as it is now: {start, end: Date, label}. */
const OF_TIME = {
  "": ({ start, end }) => `between (${literal(start)} .. ${literal(end)})`,
  start: ({ start }) => literal(start),
  end: ({ end }) => literal(end),
  startISO: ({ start }) => start.toISOString(),
  endISO: ({ end }) => end.toISOString(),
  grain: (range) => grain(range),
  label: ({ label }) => label,
};

const literal = (moment) => `datetime(${moment.toISOString()})`;

/** The width of a chart's bins: the smallest that makes no more than a hundred of them. */
export function grain({ start, end }) {
  const wanted = (end.getTime() - start.getTime()) / 1000 / BINS_MOST;
  const fits = GRAINS.find(([, size]) => size >= wanted);
  return fits ? fits[0] : "1d";
}

/**
 * values: name → {range} of a time, or {text, label} where `text` is already quoted and joined.
 * A name in braces that is no parameter stays as it is. Throws on a format that is not known.
 */
export function substitute(text, values) {
  return text.replace(REFERENCE, (whole, name, format = "") => {
    if (!(name in values)) return whole;
    const value = values[name];
    if (value.range) {
      if (!(format in OF_TIME)) throw new Error(`The format ${whole} of a time is not known here.`);
      return OF_TIME[format](value.range);
    }
    if (format === "label") return value.label;
    if (!["", "value", "raw"].includes(format)) throw new Error(`The format ${whole} is not known here.`);
    return value.text;
  });
}
