/** Choose a point: its neighbours, its square, the strips, and what it brings to the estimate. */

import { ksgInformation, ksgTerm, neighbourhood } from "./lib/information.js";
import { digamma } from "./lib/measures.js";
import { decimals } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, box, dot, extent, text } from "./ui/plot.js";

explorables("neighbours", (data, parts) => {
  const n = data.x.length;
  const fromLeft = data.x.map((_, i) => i).sort((a, b) => data.x[a] - data.x[b]);
  const state = { place: fromLeft.indexOf(data.first), k: 3 };
  const chosen = () => fromLeft[state.place];
  const around = (i) => neighbourhood(data.x, data.y, i, state.k);
  let slider;

  const map = parts.drawing(
    "The points; one is chosen, with the square to its neighbours and the strips through it",
    (drawing, width, height) => {
      const ranges = { x: extent(data.x), y: extent(data.y) };
      const labels = { xLabel: "x / standard deviation", yLabel: "y / standard deviation" };
      const place = axes(drawing, width, height, { ...ranges, ...labels, square: true });
      const [left, top, right, bottom] = place.box;
      const i = chosen();
      const { nearest, radius } = around(i);
      const [x0, x1] = [-radius, radius].map((gap) => clamp(place.x(data.x[i] + gap), left, right));
      const [y0, y1] = [radius, -radius].map((gap) => clamp(place.y(data.y[i] + gap), top, bottom));
      drawing.append(box(x0, top, x1 - x0, bottom - top, "c0", 0.25));
      drawing.append(box(left, y0, right - left, y1 - y0, "c1", 0.25));
      drawing.append(box(x0, y0, x1 - x0, y1 - y0, "frame", 0));
      data.x.forEach((value, j) => {
        const name = j === i ? "c2" : nearest.includes(j) ? "ink" : "grey";
        drawing.append(dot(place.x(value), place.y(data.y[j]), j === i ? 8 : 4.5, name));
      });
      drawing.onclick = (event) => {
        const seen = drawing.getBoundingClientRect();
        const [x, y] = [event.clientX - seen.left, event.clientY - seen.top];
        const far = (j) => Math.hypot(place.x(data.x[j]) - x, place.y(data.y[j]) - y);
        const hit = fromLeft.reduce((best, j) => (far(j) < far(best) ? j : best));
        slider.set(fromLeft.indexOf(hit));
      };
    },
    { height: 330, share: 3 },
  );

  const terms = parts.drawing(
    "The terms of the chosen point as bars, and the mean over all points",
    (drawing, width) => {
      const { inColumn, inRow } = around(chosen());
      const rows = [
        [`ψ(${state.k}), neighbours`, digamma(state.k), "c2"],
        [`ψ(${n}), all points`, digamma(n), "c2"],
        [`− ψ(${inColumn} + 1), column`, -digamma(inColumn + 1), "c0"],
        [`− ψ(${inRow} + 1), row`, -digamma(inRow + 1), "c1"],
        ["this point’s sum", ksgTerm(around(chosen()), state.k, n), "ink"],
        ["mean of all points", ksgInformation(data.x, data.y, state.k), "ink"],
      ];
      const zero = width * 0.48;
      const unit = (width * 0.46) / digamma(n);
      rows.forEach(([words, value, name], i) => {
        const y = 24 + 52 * i;
        drawing.append(text(2, y - 6, `${words}: ${decimals(value)}`, "start"));
        const long = Math.abs(value) * unit;
        drawing.append(box(value < 0 ? zero - long : zero, y, long, 16, name, 0.75));
      });
      drawing.append(box(zero - 0.5, 18, 1, 290, "ink"));
    },
    { height: 330, share: 2 },
  );

  const show = () => {
    map.again();
    terms.again();
    const { inColumn, inRow } = around(chosen());
    const nats = ksgTerm(around(chosen()), state.k, n);
    parts.say(
      `${inColumn} other points in the column, ${inRow} in the row: this point brings ` +
        `${decimals(nats)} nats. The mean over all ${n} points, the estimate, is ` +
        `${decimals(ksgInformation(data.x, data.y, state.k))} nats or ` +
        `${decimals(ksgInformation(data.x, data.y, state.k) / Math.LN2)} bits.`,
    );
  };
  slider = parts.slider(
    "Point, from left to right",
    { min: 0, max: n - 1, value: state.place, words: (place) => `${place + 1} of ${n}` },
    (place) => {
      state.place = place;
      show();
    },
  );
  parts.slider("Neighbours k", { min: 1, max: 10, value: state.k }, (k) => {
    state.k = k;
    show();
  });
  show();
});

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
