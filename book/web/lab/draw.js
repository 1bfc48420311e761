/** The drawings, as wide as the page has room, so that letters keep their size. */

import { digits, shape } from "./dom.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [56, 12, 30, 40]; // room for axes and titles
const VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"].map((colour) =>
  [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)),
);

/** A colour of the map viridis for a share from 0 to 1. */
export function viridis(share) {
  const place = Math.min(0.9999, Math.max(0, share)) * (VIRIDIS.length - 1);
  const [low, high] = [VIRIDIS[Math.floor(place)], VIRIDIS[Math.floor(place) + 1]];
  const mixed = low.map((value, i) => Math.round(value + (high[i] - value) * (place % 1)));
  return `rgb(${mixed.join(" ")})`;
}

/** Lowest and highest of the numbers among some; if they are one, 0 is the other: no other value is
 * made up that a measure might not be able to take. */
function span(values) {
  const numbers = values.filter(Number.isFinite);
  if (!numbers.length) return [0, 1];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (low < high) return [low, high];
  return low ? [Math.min(low, 0), Math.max(low, 0)] : [0, 1];
}

/** Round numbers, three to six of them, that hold what lies between two. */
function roundTicks(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 3));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => (high - low) / size <= 4);
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/**
 * Curves over the blocks.
 *
 * @param {number} width In pixels.
 * @param {{title: string, unit: string, label: string, block: number,
 *   curves: {name: string, values: number[], low: number[], high: number[], isBand: boolean}[],
 *   limits: number[], isLog: boolean}} content `low` and `high`: the ends of a band, if there is one.
 *   `limits`: all that the axis must hold, or with `isLog` its ticks.
 */
export function curvesDrawing(width, { title, unit, label, curves, limits, block, isLog }) {
  const height = 250;
  const ticks = isLog ? limits : roundTicks(...span(limits));
  const along = isLog ? Math.log10 : Number;
  const [low, high] = [along(ticks[0]), along(ticks.at(-1))];
  const n = curves[0].values.length;
  const x = (place) => LEFT + (place / (n - 1)) * (width - LEFT - RIGHT);
  const y = (value) => height - BOTTOM - ((along(value) - low) / (high - low)) * (height - TOP - BOTTOM);
  const step = width < 300 ? 3 : 1;
  const blocks = [...Array(n).keys()].filter((place) => place % step === 0);
  return shape(
    "svg",
    { class: "lab-drawing", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    text(title, LEFT, 16, { class: "lab-title" }),
    ...ticks.flatMap((tick) => [
      shape("line", { class: "lab-grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      text(digits(tick), LEFT - 6, y(tick) + 4, { "text-anchor": "end" }),
    ]),
    ...blocks.map((at) => text(at, x(at), height - BOTTOM + 17, { "text-anchor": "middle" })),
    text(`block · ${unit}`, (LEFT + width) / 2, height - 5, { "text-anchor": "middle" }),
    shape("line", {
      class: "lab-here",
      x1: x(block),
      x2: x(block),
      y1: TOP,
      y2: height - BOTTOM,
    }),
    ...curves.filter(({ isBand }) => isBand).map(({ name, low, high }) => band(name, low, high, x, y)),
    ...curves.flatMap(({ name, values }) => curve(name, values, x, y)),
  );
}

function band(name, low, high, x, y) {
  const along = (list) => list.map((value, place) => [place, value]).filter(([, value]) => Number.isFinite(value));
  const points = [...along(low), ...along(high).reverse()].map(([place, value]) => [x(place), y(value)]);
  return shape("polygon", { class: `lab-band lab-${name}`, points: points.join(" ") });
}

function curve(name, values, x, y) {
  const points = values.map((value, place) => [x(place), y(value), value]);
  const known = points.filter(([, , value]) => Number.isFinite(value));
  return [
    shape("polyline", { class: `lab-curve lab-${name}`, points: known.map((p) => p.slice(0, 2)).join(" ") }),
    ...known.map(([left, top, value], place) =>
      shape(
        "circle",
        { class: `lab-point lab-${name}`, cx: left, cy: top, r: 3 },
        shape("title", {}, `${name}, block ${place}: ${digits(value)}`),
      ),
    ),
  ];
}

function text(words, x, y, attributes = {}) {
  return shape("text", { x, y, ...attributes }, String(words));
}

/**
 * A value for each pair of targets, as a square.
 *
 * @param {number} width
 * @param {{label: string, values: number[], pairs: number[][], positions: number[],
 *   onPoint: (pair: number | null) => void}} content
 */
export function heatMap(width, { label, values, pairs, positions, onPoint }) {
  const n = positions.length;
  const side = Math.min(width, 420) - LEFT;
  const cell = side / n;
  const [low, high] = span(values);
  const place = (i) => LEFT + i * cell;
  const squares = pairs.flatMap(([i, j], m) =>
    [
      [i, j],
      [j, i],
    ].map(([row, column]) =>
      shape("rect", {
        x: place(column),
        y: row * cell + 2,
        width: cell,
        height: cell,
        fill: viridis((values[m] - low) / (high - low)),
        on: { pointerenter: () => onPoint(m), pointerleave: () => onPoint(null) },
      }),
    ),
  );
  const step = Math.ceil(16 / cell);
  const marks = positions.flatMap((position, i) =>
    i % step
      ? []
      : [text(position, LEFT - 6, (i + 0.5) * cell + 6, { "text-anchor": "end" })],
  );
  const size = `0 0 ${LEFT + side} ${side + 4}`;
  const attributes = { class: "lab-drawing lab-map", viewBox: size, role: "img" };
  return shape("svg", { ...attributes, "aria-label": label }, ...squares, ...marks);
}

/** What the colours of a heat map mean. */
export function colourBar(values, unit) {
  const [low, high] = span(values);
  const stops = [0, 0.25, 0.5, 0.75, 1].map(viridis).join(", ");
  return { low: digits(low), high: `${digits(high)} ${unit}`, gradient: `linear-gradient(90deg, ${stops})` };
}
