/** A curve that a reader draws: a few points, moved by a finger, a mouse or the arrow keys. */

import { worded } from "../lib/words.js";
import { decimals, svg } from "./dom.js";
import { axes, line } from "./plot.js";

const POINTS = 6;
const STEPS = 20; // from the bottom to the top by the keys
const HEIGHT = 210;
const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 4, PageDown: -4 };

/** An element to draw in, and how to `put` back what is kept; `keep(points, words)` is told more.
 *
 * `x` and `y` are [label, lowest, highest]. */
export function sketch({ x, y }, keep) {
  const xs = Array.from({ length: POINTS }, (_, i) => x[1] + ((x[2] - x[1]) * i) / (POINTS - 1));
  const ys = xs.map(() => (y[1] + y[2]) / 2);
  const within = (value) => Math.min(y[2], Math.max(y[1], value));
  const drawing = svg("svg", { height: HEIGHT, class: "sketch" });
  let place;
  const handles = xs.map((at, i) =>
    svg("circle", {
      r: 8,
      class: "c0",
      tabindex: 0,
      role: "slider",
      "aria-label": worded("{what}, at {place}", { what: y[0], place: `${decimals(at, 0)} ${x[0]}` }),
      "aria-valuemin": y[1],
      "aria-valuemax": y[2],
      onkeydown: (event) => {
        if (!(event.key in KEYS)) return;
        event.preventDefault();
        move(i, ys[i] + (KEYS[event.key] * (y[2] - y[1])) / STEPS);
      },
    }),
  );
  const move = (i, value) => {
    ys[i] = within(value);
    update();
    const [begin, low, end, high] = [0, POINTS - 1].flatMap((k) => [decimals(xs[k], 0), decimals(ys[k])]);
    const words = worded("from {low} at {begin} to {high} at {end}", { begin, low, end, high });
    keep(xs.map((at, k) => [at, ys[k]]), words);
  };
  const curve = line([[0, 0]], "c0");
  const update = () => {
    if (!place) return; // not seen yet
    const points = xs.map((at, i) => [place.x(at), place.y(ys[i])]);
    curve.setAttribute("d", line(points, "").getAttribute("d"));
    handles.forEach((handle, i) => {
      handle.setAttribute("cx", points[i][0]);
      handle.setAttribute("cy", points[i][1]);
      handle.setAttribute("aria-valuenow", ys[i]);
      handle.setAttribute("aria-valuetext", decimals(ys[i]));
    });
  };
  const follow = (event) => {
    const seen = drawing.getBoundingClientRect();
    const gaps = xs.map((at) => Math.abs(place.x(at) - (event.clientX - seen.left)));
    const share = (place.box[3] - (event.clientY - seen.top)) / (place.box[3] - place.box[1]);
    move(gaps.indexOf(Math.min(...gaps)), y[1] + share * (y[2] - y[1]));
  };
  drawing.addEventListener("pointerdown", (event) => {
    drawing.setPointerCapture(event.pointerId);
    follow(event);
  });
  drawing.addEventListener("pointermove", (event) => event.buttons && follow(event));
  new ResizeObserver(([{ contentRect }]) => {
    drawing.setAttribute("viewBox", `0 0 ${contentRect.width} ${HEIGHT}`);
    drawing.replaceChildren();
    const ranges = { x: [x[1], x[2]], y: [y[1], y[2]], xLabel: x[0], yLabel: y[0] };
    place = axes(drawing, contentRect.width, HEIGHT, ranges);
    drawing.append(curve, ...handles);
    update();
  }).observe(drawing);
  const put = (kept) => {
    xs.forEach((_, i) => (ys[i] = within(kept?.value[i]?.[1] ?? (y[1] + y[2]) / 2)));
    update();
  };
  return { elements: [drawing], put };
}
