// The markdown that workbooks use: headings, paragraphs, lists, bold, italics, code, links.
import { h } from "../dom.js";

const INLINE = /(\*\*.+?\*\*|`[^`]+`|\[[^\]]+\]\([^)\s]+\)|\*[^*\s][^*]*\*)/;
const LINK = /^\[([^\]]+)\]\((https?:[^)\s]+|[^):\s]+)\)$/;

/** Return the nodes of a text. first: the level of its highest heading. */
export function markdown(text, first = 2) {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block) => blockOf(block, first));
}

function blockOf(block, first) {
  const heading = /^(#{1,6})\s+(.*)/.exec(block);
  if (heading) return h(`h${Math.min(6, heading[1].length - 1 + first)}`, {}, inline(heading[2]));
  const lines = block.split("\n");
  if (lines.every((line) => /^[-*] /.test(line)))
    return h(
      "ul",
      { class: "bullets" },
      lines.map((line) => h("li", {}, inline(line.slice(2)))),
    );
  return h("p", {}, inline(block.replaceAll("\n", " ")));
}

function inline(text) {
  return text.split(INLINE).map((part) => {
    if (/^\*\*.+\*\*$/.test(part)) return h("strong", {}, inline(part.slice(2, -2)));
    if (/^`.+`$/.test(part)) return h("code", {}, part.slice(1, -1));
    if (/^\*.+\*$/.test(part)) return h("em", {}, part.slice(1, -1));
    const link = LINK.exec(part);
    return link ? h("a", { href: link[2] }, link[1]) : part;
  });
}
