// <am-chart>: lines, areas or bars over time, with a legend, a pointer's values, and the same as a table.
import uPlot from "../vendor/uPlot.esm.js";
import { colour, dash, legend, summary, tableOf } from "./chart_words.js";
import { h } from "./dom.js";
import { number } from "./format.js";

const HEIGHT = 190;
const HOUR_S = 3600;

/**
 * What a chart shows; times are seconds since 1970, a missing value is null.
 * @typedef {object} Asked
 * @property {string} label
 * @property {"line" | "area" | "bar"} kind
 * @property {boolean} [stacked]
 * @property {number[]} times
 * @property {{name: string, values: (number | null)[], colour?: string}[]} series
 * @property {(value: number) => string} [format]
 * @property {number} [height]
 * @property {{name: string, value: number}[]} [limits]
 * @property {{name: string, at: number, tone?: string}[]} [marks]
 * @property {number} [from]
 * @property {number} [to]
 *
 * @typedef {Asked & Required<Pick<Asked, "format" | "limits" | "marks">>} Spec
 */

class Chart extends HTMLElement {
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {Spec} */
  #spec = { label: "", kind: "line", times: [], series: [], format: number, limits: [], marks: [] };
  #drawn = "";
  #resized = new ResizeObserver(() => this.#fit());
  #themed = () => this.#rebuild();

  /** @param {Asked} spec */
  set spec(spec) {
    this.#spec = { format: number, limits: [], marks: [], ...spec };
    if (this.isConnected) this.#refresh();
  }

  get spec() {
    return this.#spec;
  }

  connectedCallback() {
    this.#resized.observe(this);
    addEventListener("themechange", this.#themed);
    this.#refresh();
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    removeEventListener("themechange", this.#themed);
    this.#plot?.destroy();
    this.#plot = null;
    this.#drawn = "";
  }

  /** A chart of the same series takes new numbers; another one is drawn anew. */
  #refresh() {
    const { kind, stacked, series, limits, marks } = this.#spec;
    const shape = JSON.stringify([kind, stacked, series.map(({ name }) => name), limits, marks]);
    if (this.#plot && shape === this.#drawn) {
      this.#plot.setData(this.#data());
      this.#words();
    } else this.#rebuild();
    this.#drawn = shape;
  }

  #rebuild() {
    this.#plot?.destroy();
    this.canvas = h("div", { class: "plot", role: "img" });
    this.tip = h("div", { class: "tip", hidden: true });
    this.words = h("div", { class: "words" });
    this.replaceChildren(h("div", { class: "stage" }, this.canvas, this.tip), this.words);
    this.#words();
    this.#plot = new uPlot(this.#options(), this.#data(), this.canvas);
  }

  #words() {
    const wasOpen = this.words.querySelector("details")?.open;
    this.canvas.setAttribute("aria-label", summary(this.#spec));
    this.words.replaceChildren(legend(this.#spec), tableOf(this.#spec, wasOpen));
  }

  #fit() {
    const width = Math.floor(this.clientWidth);
    if (this.#plot && width && width !== this.#plot.width)
      this.#plot.setSize({ width, height: this.#height });
  }

  get #height() {
    return this.#spec.height ?? HEIGHT;
  }

  /**
   * Stacked: each series is drawn as its sum with those before it, the last one first.
   * @returns {uPlot.AlignedData}
   */
  #data() {
    const { times, series, stacked } = this.#spec;
    if (!stacked) return [times, ...series.map(({ values }) => values)];
    const sums = [];
    for (const { values } of series) {
      const below = sums.at(-1);
      sums.push(values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)));
    }
    return [times, ...sums.reverse()];
  }

  /** @returns {uPlot.Options} */
  #options() {
    const paint = (name) => painted(this.words, name);
    const { kind, stacked, series, limits, marks, format } = this.#spec;
    const drawn = series.map((one, place) => ({
      one,
      stroke: paint(one.colour ?? colour(place)),
      dash: kind === "line" ? dash(place) : undefined,
    }));
    if (stacked) drawn.reverse();
    const axis = {
      stroke: paint("--soft"),
      grid: { stroke: paint("--grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui",
    };
    const dots = (values) => ({ show: values.filter((value) => value !== null).length < 3 });
    const bars =
      kind === "bar" ? { paths: uPlot.paths.bars?.({ size: [0.8, 40] }), points: { show: false } } : {};
    return {
      width: Math.max(this.clientWidth, 120),
      height: this.#height,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { range: () => this.#span() }, y: { range: (_, low, high) => range(low, high, limits) } },
      axes: [
        { ...axis, size: 26, values: times },
        {
          ...axis,
          size: (_, texts) => 14 + 6.5 * Math.max(3, ...(texts ?? []).map((text) => text.length)),
          values: (_, ticks) => ticks.map(format),
        },
      ],
      series: [
        {},
        ...drawn.map(({ one, stroke, dash: dashed }) => ({
          label: one.name,
          stroke,
          dash: dashed,
          width: 1.6,
          points: dots(one.values),
          fill: kind === "line" ? undefined : faint(stroke, kind === "bar" || stacked ? 0.85 : 0.18),
          spanGaps: kind === "line",
          ...bars,
        })),
      ],
      hooks: {
        setCursor: [(plot) => this.#point(plot)],
        draw: [(plot) => limitLines(plot, limits, paint("--bad")), (plot) => markLines(plot, marks, paint)],
      },
    };
  }

  /**
   * The times asked for, and those of the data; bars need room for half of the first and the last.
   * @returns {uPlot.Range.MinMax}
   */
  #span() {
    const { times, kind, from = Infinity, to = -Infinity } = this.#spec;
    const [low, high] = times.length
      ? [Math.min(from, times[0]), Math.max(to, times[times.length - 1])]
      : [from, to];
    if (!Number.isFinite(high - low)) return [Date.now() / 1000 - HOUR_S, Date.now() / 1000];
    const room = kind === "bar" ? (times.length > 1 ? (times[1] - times[0]) / 2 : (high - low) / 40) : 0;
    return low === high ? [low - HOUR_S / 2, high + HOUR_S / 2] : [low - room, high + room];
  }

  /**
   * Show the values below the pointer.
   * @param {uPlot} plot
   */
  #point({ cursor: { idx, left = -1 } }) {
    const isAway = idx === null || idx === undefined || left < 0;
    this.tip.hidden = isAway;
    if (isAway) return;
    const { times, series, format } = this.#spec;
    const values = series
      .map(({ name, values, colour: own }, place) => ({
        name,
        value: values[idx],
        own: own ?? colour(place),
      }))
      .filter(({ value }) => value !== null && value !== undefined);
    const line = ({ name, value, own }) =>
      h("li", { style: { "--c": `var(${own})` } }, name, h("b", {}, format(value)));
    this.tip.replaceChildren(
      h("p", {}, new Date(times[idx] * 1000).toLocaleString([], { hourCycle: "h23" })),
      h("ul", {}, ...values.slice(0, 12).map(line)),
    );
    this.tip.dataset.side = left > this.clientWidth / 2 ? "left" : "right";
  }
}

/** The colour that a variable is now, as a canvas takes it. */
function painted(element, name) {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

const faint = (colour, alpha) => colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

/** Times of the axis: the day where it begins, else hours and minutes. */
function times(_, ticks) {
  let day = "";
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    const today = at.toLocaleDateString([], { month: "short", day: "numeric" });
    const isNew = day !== "" && day !== today;
    day = today;
    const isMidnight = at.getHours() + at.getMinutes() === 0;
    return isNew || isMidnight
      ? today
      : at.toLocaleTimeString([], {
          hour: "2-digit",
          minute: "2-digit",
          second: at.getSeconds() ? "2-digit" : undefined,
          hourCycle: "h23",
        });
  });
}

/** @returns {uPlot.Range.MinMax} */
function range(low, high, limits) {
  const values = [low ?? 0, high ?? 0, ...limits.map(({ value }) => value)];
  const top = Math.max(0, ...values);
  const bottom = Math.min(0, ...values);
  return top === bottom ? [0, 1] : [bottom * 1.08, top * 1.08];
}

function limitLines({ ctx, bbox, valToPos }, limits, stroke) {
  ctx.save();
  Object.assign(ctx, { strokeStyle: stroke, lineWidth: devicePixelRatio });
  ctx.setLineDash([6, 4]);
  for (const { value } of limits) {
    const y = Math.round(valToPos(value, "y", true)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** What happened at a moment: a line from top to bottom. */
function markLines({ ctx, bbox, valToPos }, marks, paint) {
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const { at, tone } of marks) {
    const x = Math.round(valToPos(at, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = paint(tone ?? "--soft");
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

customElements.define("am-chart", Chart);

/**
 * Return a chart.
 * @param {Asked} spec
 */
export const chart = (spec) => h("am-chart", { spec });
