/** Elements in a line. */

const SVG = "http://www.w3.org/2000/svg";

const make = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
};

/** An element of HTML: `element("p", { class: "small" }, "words", otherElement)`. */
export const element = (name, attributes = {}, ...children) =>
  make(document.createElement(name), attributes, children);

/** The same of SVG. */
export const shape = (name, attributes = {}, ...children) =>
  make(document.createElementNS(SVG, name), attributes, children);

/** A table with a heading for each column; what stands first in a row is the row's heading. */
export function table(caption, heads, rows) {
  const cells = ([first, ...others]) => [
    element("th", { scope: "row" }, first),
    ...others.map((text) => element("td", {}, text)),
  ];
  return element(
    "table",
    { class: "table lab-table" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((h) => element("th", { scope: "col" }, h)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row)))),
  );
}

/** Lowest, middle and highest of the numbers among some; NaN where there is none. */
export function spread(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return { low: NaN, middle: NaN, high: NaN };
  const half = (sorted.length - 1) / 2;
  const middle = (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
  return { low: sorted[0], middle, high: sorted.at(-1) };
}

/** A number in four digits. */
export const digits = (value) =>
  Number.isNaN(value) ? "–" : Number(value.toPrecision(4)).toString().replace("-", "−");

/** A token in a table: with quotes, so that its space is seen, and line ends as arrows. */
export const quoted = (token) => `“${token.replaceAll("\n", "↵")}”`;
