/** Draw samples whose mutual information is known, and see where each estimator puts it. */

import { boxCounts, histogramInformation, ksgInformation, standardised } from "./lib/information.js";
import { randomSource, normalPair } from "./lib/random.js";
import { decimals, oncePerFrame } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, box, dot, line, text } from "./ui/plot.js";

const MOST = 0.95; // of the correlation
const NEIGHBOURS = 3;

explorables("estimators", (data, parts) => {
  const names = ["neighbours", ...data.bins.map((bins) => `${bins} bins`)];
  const state = { rho: data.rho };
  const random = randomSource(1); // goes on: what is drawn again is another set
  const truth = () => -0.5 * Math.log2(1 - state.rho ** 2);
  const estimate = (x, y) => [
    ksgInformation(standardised(x), standardised(y), NEIGHBOURS) / Math.LN2,
    ...data.bins.map((bins) => histogramInformation(boxCounts(x, y, bins))),
  ];
  const column = (k) => state.draws.map((draw) => draw[k]);

  const drawn = parts.drawing(
    "A dot for each estimate, a column for each estimator, a bar at its mean; the dashed line is the truth",
    (drawing, width, height) => {
      const y = [-0.3, Math.max(2.4, ...state.draws.flat())];
      const place = axes(drawing, width, height, {
        x: [0, 1],
        y,
        xLabel: "",
        yLabel: "Bits",
        bare: true,
        title: `Dashed: the truth, ${decimals(truth())} bits`,
      });
      const [left, , right, bottom] = place.box;
      const wide = (right - left) / names.length;
      names.forEach((name, k) => {
        const middle = left + (k + 0.5) * wide;
        drawing.append(text(middle, bottom + 18, name));
        column(k).forEach((bits, i) => {
          const aside = (((i * 0.618) % 1) - 0.5) * wide * 0.7; // so that dots do not hide each other
          drawing.append(dot(middle + aside, place.y(bits), 2.6, `c${k}`));
        });
        if (!state.draws.length) return;
        drawing.append(box(middle - wide * 0.4, place.y(mean(column(k))) - 1.5, wide * 0.8, 3, "ink"));
      });
      const at = place.y(truth());
      drawing.append(line([[left, at], [right, at]], "ink dashed"));
    },
    { height: 300 },
  );

  const show = () => {
    drawn.again();
    const times = state.draws.length;
    const each = names.map((name, k) => {
      const error = column(k).map((bits) => bits - truth());
      const spread = Math.sqrt(mean(error.map((e) => (e - mean(error)) ** 2)));
      return `${name} ${decimals(mean(error))}${times > 1 ? ` ± ${decimals(spread)}` : ""}`;
    });
    parts.say(
      times
        ? `${times} ${times === 1 ? "set" : "sets"} of ${data.n} samples, truth ${decimals(truth())} ` +
            `bits. ${times > 1 ? "Bias ± spread" : "Error"}, in bits: ${each.join("; ")}.`
        : `Correlation ${decimals(state.rho)}: the truth is ${decimals(truth())} bits.`,
    );
  };
  const draw = (times) => {
    for (let k = 0; k < times; k++)
      state.draws.push(estimate(...normalPair(data.n, state.rho, random)));
    show();
  };
  const begin = (rho) => {
    Object.assign(state, { rho, draws: [] });
    show();
  };
  const slider = { min: 0, max: MOST, step: 0.05, value: data.rho, words: (rho) => decimals(rho) };
  parts.slider("Correlation ρ", slider, oncePerFrame(begin));
  parts.button("Draw once", () => draw(1));
  parts.button("25 draws", () => draw(25));
  begin(data.rho);
}, { replaces: false });

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
