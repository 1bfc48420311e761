/** The unit ball, and what pushing one component does to a distance, under a slider for p. */

import { largestShare, norm, unitBall } from "./lib/minkowski.js";
import { worded } from "./lib/words.js";
import { decimals } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, box, line, text } from "./ui/plot.js";

const END = 100; // of the slider, where p is infinite

explorables("minkowski", (data, parts) => {
  const pushed = data.differences.map((value, i) => value - (i === 0 ? data.push : 0));
  const state = { p: 2 };
  const distances = () => [data.differences, pushed].map((list) => norm(list, state.p));
  const named = (p) => (p === Infinity ? "∞" : decimals(p, p < 10 ? 2 : 0));

  const ball = parts.drawing(
    worded(
      "The points at distance 1 from the origin: a square on its corner at p = 1, a circle at 2, an upright square at ∞",
    ),
    (drawing, width, height) => {
      const range = [-1.15, 1.15];
      const labels = { xLabel: worded("First difference"), yLabel: worded("Second difference") };
      const place = axes(drawing, width, height, { x: range, y: range, square: true, ...labels });
      const curve = (p, name) =>
        drawing.append(line(unitBall(p).map(([x, y]) => [place.x(x), place.y(y)]), name));
      for (const p of [1, 2, Infinity]) curve(p, "faint");
      curve(state.p, "c0 thick");
    },
    { height: 300 },
  );

  const bars = parts.drawing(
    worded("Two bars: the distance between the two vectors, and the same with one component pushed away"),
    (drawing, width) => {
      const values = distances();
      const most = values[1]; // the longer one at every p
      [worded("as drawn"), worded("one component pushed by {push}", data)].forEach((words, i) => {
        const y = 40 + 80 * i;
        drawing.append(text(4, y - 8, `${words}: ${decimals(values[i], 1)}`, "start"));
        drawing.append(box(4, y, (values[i] / most) * (width - 8), 26, `c${i}`));
        drawing.append(box(4, y, (largest(i) * values[i] * (width - 8)) / most, 26, "shade", 0.35));
      });
      drawing.append(text(4, 180, worded("shaded: the largest difference’s share"), "start", "muted"));
      drawing.append(text(4, 198, worded("in the sum inside the formula"), "start", "muted"));
    },
    { height: 210 },
  );
  const largest = (i) => largestShare(i ? pushed : data.differences, state.p);

  const show = (place) => {
    state.p = place >= END ? Infinity : 1 / (1 - place / END);
    ball.again();
    bars.again();
    const [before, after] = distances();
    parts.say(
      worded(
        "p = {p}: the two vectors are {before} apart; with one component pushed by {push} it is {after}, which is {times} times as far. The pushed component holds {share}\u00a0% of the sum.",
        {
          p: named(state.p),
          before: decimals(before, 1),
          push: data.push,
          after: decimals(after, 1),
          times: decimals(after / before),
          share: decimals(100 * largest(1), 0),
        },
      ),
    );
  };
  const words = (place) => `p = ${named(place >= END ? Infinity : 1 / (1 - place / END))}`;
  parts.slider(worded("Order p"), { min: 0, max: END, value: END / 2, words }, show);
  show(END / 2);
});
