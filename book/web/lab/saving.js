/** What one sees, as files. */

import { shape } from "./dom.js";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "fill-opacity", "font-size", "font-weight"];

/** Rows as CSV; what holds a comma, a quote or a line's end is quoted. */
export function toCsv(rows) {
  const cell = (value) =>
    /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

/** All pairs in every block, one a line. */
export function rowsOf({ pairs, gaps, positions, sweeps, nLayers }) {
  const names = Object.keys(sweeps.trained[0].measures);
  const rows = [["model", "draw", "component", "block", "position", "position_2", "gap", ...names]];
  const draws = Object.entries(sweeps).flatMap(([kind, list]) => list.map((sweep) => ({ kind, ...sweep })));
  for (const { kind, seed, measures } of draws) {
    for (let place = 0; place < 2 * nLayers; place++) {
      pairs.forEach(([i, j], m) => {
        const where = [kind, seed, place < nLayers ? "att" : "mlp", place % nLayers];
        const pair = [positions[i], positions[j], gaps[m]];
        rows.push([...where, ...pair, ...names.map((name) => measures[name][place][m])]);
      });
    }
  }
  return rows;
}

/** Drawings in one file, one below the other, with the colours that the page gives them. */
export function toSvg(drawings) {
  const all = shape("svg", { xmlns: "http://www.w3.org/2000/svg" });
  let [width, top] = [0, 0];
  for (const drawing of drawings) {
    const { width: own, height } = drawing.viewBox.baseVal;
    all.append(withStyle(drawing, { y: top, width: own, height }));
    width = Math.max(width, own);
    top += height + 16;
  }
  all.setAttribute("viewBox", `0 0 ${width} ${top}`);
  return new XMLSerializer().serializeToString(all);
}

function withStyle(drawing, attributes) {
  const copy = drawing.cloneNode(true);
  const [from, to] = [drawing, copy].map((svg) => [svg, ...svg.querySelectorAll("*")]);
  to.forEach((node, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of STYLES) node.style.setProperty(name, style.getPropertyValue(name));
    node.style.fontFamily = "sans-serif";
  });
  for (const [name, value] of Object.entries(attributes)) copy.setAttribute(name, value);
  return copy;
}

/** Hand a text over as a file. */
export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address));
}
