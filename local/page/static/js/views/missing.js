// What is shown where the address names no view.
import { h } from "../dom.js";
import { panel } from "../parts.js";
import { href } from "../route.js";

export const title = () => "No such view";
export const every_s = 0;
export const load = () => ({});

export const render = (_, { path }) =>
  panel("Not found", {}, () =>
    h(
      "p",
      {},
      "There is no view ",
      h("code", {}, `#/${path}`),
      ". Check the address, or begin with the ",
      h("a", { href: href("/") }, "overview"),
      ".",
    ),
  );
