/** Axes, scales and marks of a drawing; all colours and letters come from the page's style. */

import { svg } from "./dom.js";

/** About that many round numbers from low to high. */
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The smallest and the largest of numbers, with a margin. */
export function extent(values, margin = 0.06) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  return [low - margin * (high - low), high + margin * (high - low)];
}

/** Axes in a drawing: returns `x` and `y`, from data to places, and the box [left, top, right, bottom].
 *
 * `square`: one unit is as long on both axes; `bare`: no numbers along x. */
export function axes(drawing, width, height, { x, y, xLabel, yLabel, square = false, bare = false, title = "" }) {
  const box = [54, title ? 26 : 10, width - 10, height - 42];
  if (square) fitSquare(box, x, y);
  const [left, top, right, bottom] = box;
  const toX = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left);
  const toY = (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * (bottom - top);
  const frame = svg("g", { class: "axes" });
  frame.append(svg("path", { d: `M${left} ${top}V${bottom}H${right}` }));
  for (const value of bare ? [] : ticks(...x, (right - left) / 60)) {
    frame.append(svg("path", { d: `M${toX(value)} ${bottom}v4` }));
    frame.append(text(toX(value), bottom + 16, tidy(value)));
  }
  for (const value of ticks(...y, (bottom - top) / 45)) {
    frame.append(svg("path", { d: `M${left} ${toY(value)}h-4` }));
    frame.append(text(left - 7, toY(value) + 4, tidy(value), "end"));
  }
  frame.append(text((left + right) / 2, bottom + 34, xLabel, "middle", "label"));
  const middle = (top + bottom) / 2;
  const turned = text(12, middle, yLabel, "middle", "label");
  turned.setAttribute("transform", `rotate(-90 12 ${middle})`);
  frame.append(turned);
  if (title) frame.append(text(left, 14, title, "start", "title"));
  drawing.append(frame);
  return { x: toX, y: toY, box };
}

function fitSquare(box, x, y) {
  const unit = Math.min((box[2] - box[0]) / (x[1] - x[0]), (box[3] - box[1]) / (y[1] - y[0]));
  box[2] = box[0] + unit * (x[1] - x[0]);
  box[3] = box[1] + unit * (y[1] - y[0]);
}

const tidy = (value) => String(value).replace("-", "−");

/** A piece of text. */
export function text(x, y, words, anchor = "middle", name = "") {
  return svg("text", { x, y, "text-anchor": anchor, class: name || false }, words);
}

/** A line through points in places of the drawing. */
export function line(points, name) {
  const d = points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return svg("path", { d, class: `line ${name}` });
}

export function dot(x, y, r, name) {
  return svg("circle", { cx: x, cy: y, r, class: name });
}

export function box(x, y, width, height, name, opacity = 1) {
  return svg("rect", { x, y, width, height, class: name, "fill-opacity": opacity });
}

/** A symmetric matrix given by its pairs, as squares from light to dark; `at(i, j)` their places. */
export function heatMap(drawing, left, top, size, n, value, [low, high]) {
  const side = size / n;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const [x, y] = [left + j * side, top + i * side];
      if (i === j) drawing.append(box(x, y, side, side, "empty"));
      else drawing.append(box(x, y, side - 0.5, side - 0.5, "c0", shade(value(i, j), low, high)));
    }
}

const shade = (value, low, high) => (0.08 + (0.92 * (value - low)) / (high - low || 1)).toFixed(3);
