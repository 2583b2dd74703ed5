// Shows the view that the address names, and keeps it fresh.
import { ask, isAbsent, Parts, Unanswered } from "./ask.js";
import { byId, h, morph } from "./dom.js";
import { loading, trouble } from "./parts.js";
import { current } from "./route.js";
import { startTheme } from "./theme.js";
import * as alerts from "./views/alerts.js";
import * as costs from "./views/costs.js";
import * as event from "./views/event.js";
import * as health from "./views/health.js";
import * as incidents from "./views/incidents.js";
import * as missing from "./views/missing.js";
import * as overview from "./views/overview.js";
import * as search from "./views/search.js";
import * as why from "./views/why.js";
import * as work from "./views/work.js";
import * as workbooks from "./views/workbooks.js";

/**
 * A view: {title(route), every_s, load(route, signal) → data or Parts, render(data, route, refresh, redraw) → nodes};
 * every_s 0: loaded once. Of Parts, render gets {value?, error?, at?, pending?} each: what was had last stays, with its age.
 */
const RETRY_S = 15;
const OF_WORK = { traces: work, missions: work, conversations: work };
const VIEWS = { "": overview, alerts, costs, event, health, incidents, search, why, workbooks, ...OF_WORK };
/** @type {[string, string][]} */
const NAV = [
  ["", "Overview"],
  ["incidents", "Incidents"],
  ["alerts", "Alerts"],
  ["costs", "Costs"],
  ["traces", "Traces"],
  ["workbooks", "Workbooks"],
  ["search", "Search"],
  ["health", "Health"],
];
/** The entry that leads to a view without one. */
const WITHIN = { why: "incidents", event: "search", missions: "traces", conversations: "traces" };

const main = byId("main");
const state = byId("state");
/** @type {Showing | null} */
let showing = null;

function tell(mood, text) {
  if (state.dataset.state !== mood) state.dataset.state = mood;
  state.textContent = text;
}

/** A workspace of Azure answers so many queries a minute, and its rows come a minute late: no need to hurry. */
const DEPLOYED_EVERY_S = 60;
const onLaptop = ask("/stack").then(
  ({ laptop }) => laptop,
  () => true,
);
const pace_s = async (every_s) =>
  every_s && !(await onLaptop) ? Math.max(every_s, DEPLOYED_EVERY_S) : every_s;

/** A view that is on the screen: loads, draws, waits, again, until it is left. */
class Showing {
  leaving = new AbortController();
  timer = 0;
  turn = Symbol("none");
  /** @type {any} */
  data = null;

  constructor(view, route) {
    this.view = view;
    this.route = route;
  }

  async refresh() {
    clearTimeout(this.timer);
    const { signal } = this.leaving;
    const turn = Symbol("turn");
    this.turn = turn;
    let failed = true;
    try {
      const loaded = this.view.load(this.route, signal);
      if (loaded instanceof Parts) failed = await this.each(loaded.promises, turn);
      else {
        const data = await loaded;
        if (turn !== this.turn || signal.aborted) return;
        this.data = data;
        this.draw();
        tell("live", `updated ${clock()}`);
        failed = false;
      }
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      tell("lost", "not up to date; trying again");
      if (this.data === null) put(h("h1", {}, this.view.title(this.route)), trouble(error));
      if (!(error instanceof Unanswered)) console.error(error);
    }
    const wait_s = (await pace_s(this.view.every_s)) || (failed ? RETRY_S : 0);
    if (turn === this.turn && !signal.aborted && wait_s)
      this.timer = setTimeout(() => this.due(), wait_s * 1000);
  }

  /** Show each part when it is there; return whether one failed. */
  async each(promises, turn) {
    const names = Object.keys(promises);
    this.data = Object.fromEntries(names.map((name) => [name, this.data?.[name] ?? { pending: true }]));
    const settle = async (name) => {
      const part = await settled(promises[name], this.data[name]);
      if (turn !== this.turn || this.leaving.signal.aborted) return;
      this.data[name] = part;
      this.draw();
    };
    await Promise.all(names.map(settle));
    if (turn !== this.turn || this.leaving.signal.aborted) return false;
    const lost = names.filter((name) => this.data[name].error && !isAbsent(this.data[name].error));
    if (!lost.length) tell("live", `updated ${clock()}`);
    else tell("lost", `${lost.length} of ${names.length} parts not up to date; trying again`);
    return lost.length > 0;
  }

  due() {
    if (document.hidden)
      document.addEventListener("visibilitychange", () => !this.leaving.signal.aborted && this.refresh(), {
        once: true,
      });
    else this.refresh();
  }

  draw() {
    put(
      h("h1", {}, this.view.title(this.route)),
      ...[
        this.view.render(
          this.data,
          this.route,
          () => this.refresh(),
          () => this.draw(),
        ),
      ].flat(),
    );
  }

  leave() {
    clearTimeout(this.timer);
    this.leaving.abort();
  }
}

/** A part as it is now: its value, or why there is none beside what was had before. */
async function settled(promise, before) {
  try {
    return { value: await promise, at: new Date() };
  } catch (error) {
    if (!(error instanceof Unanswered) && error.name !== "AbortError") console.error(error);
    return { value: before.value, at: before.at, error };
  }
}

const clock = () => new Date().toLocaleTimeString([], { hourCycle: "h23" });

function put(...nodes) {
  morph(main, h("main", {}, ...nodes.filter(Boolean)));
}

function nav(name) {
  const link = ([route, text]) =>
    h(
      "a",
      {
        href: `#/${route}`,
        "aria-current": route === (WITHIN[name] ?? name) ? (WITHIN[name] ? "true" : "page") : null,
      },
      text,
    );
  morph(byId("nav"), h("nav", {}, ...NAV.map(link)));
}

/** Show what the address names now. A new view starts at its top, with the focus there; a new parameter of the same view leaves both. */
function follow() {
  if (location.hash === "#main") return main.focus();
  const route = current();
  const view = Object.hasOwn(VIEWS, route.name) ? VIEWS[route.name] : missing;
  const before = showing;
  const isNew = !before || before.view !== view || before.route.path !== route.path;
  before?.leave();
  showing = new Showing(view, route);
  nav(route.name);
  tell("loading", "loading …");
  document.title = `${view.title(route)} · agentmeter`;
  if (isNew) {
    main.replaceChildren(h("h1", {}, view.title(route)), loading());
    if (before) {
      main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }
  showing.refresh();
}

addEventListener("hashchange", follow);
addEventListener("redraw", () => showing?.data && showing.draw());
startTheme(byId("theme"));
if (!location.hash) history.replaceState(null, "", "#/");
follow();
