/** Kendall's tau by counting: of every two dots, do they agree? */

import { agreement } from "./lib/order.js";
import { pairsOf } from "./lib/pairs.js";
import { kendallTau } from "./lib/ranks.js";
import { decimals } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, dot, extent, line, text } from "./ui/plot.js";

const NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

explorables("tau", (data, parts) => {
  const { x, y } = data;
  const pairs = pairsOf(x.length);
  const state = { done: 0, said: "" };
  const signs = pairs.map(([a, b]) => agreement(x, y, a, b));
  const counted = (sign) => signs.slice(0, state.done).filter((s) => s === sign).length;

  const dots = parts.drawing(
    "One dot for each pair of targets; a line joins the two that are compared, and those that were",
    (drawing, width, height) => {
      const ranges = { x: [0, extent(x, 0.1)[1]], y: extent(y, 0.2) };
      const labels = { xLabel: data.xLabel, yLabel: data.yLabel };
      const place = axes(drawing, width, height, { ...ranges, ...labels });
      const at = (i) => [place.x(x[i]), place.y(y[i])];
      pairs.slice(0, state.done).forEach(([a, b], k) => {
        drawing.append(line([at(a), at(b)], signs[k] > 0 ? "c2 thin" : "c1 thin dashed"));
      });
      const now = pairs[state.done] ?? [];
      if (now.length) drawing.append(line(now.map(at), "ink thick"));
      x.forEach((_, i) => {
        drawing.append(dot(...at(i), now.includes(i) ? 8 : 5, now.includes(i) ? "ink" : "c0"));
        drawing.append(text(at(i)[0] + 11, at(i)[1] - 8, NAMES[i], "start"));
      });
    },
    { height: 280 },
  );

  const show = () => {
    dots.again();
    const [agreed, not] = [counted(1), counted(-1)];
    const tally = `${agreed} concordant, ${not} discordant`;
    const now = pairs[state.done];
    for (const button of answers) button.setAttribute("aria-disabled", !now); // and keeps the focus
    parts.say(
      state.said +
        (now
          ? `${NAMES[now[0]]} and ${NAMES[now[1]]}: do they agree? So far ${tally}.`
          : `All ${pairs.length} are counted: ${tally}. Tau = (${agreed} − ${not}) / ` +
            `${pairs.length} = ${decimals(kendallTau(x, y))}.`),
    );
  };
  const answer = (sign) => {
    if (state.done === pairs.length) return;
    const [a, b] = pairs[state.done];
    const right = signs[state.done];
    const higher = y[b] > y[a] === x[b] > x[a] ? "larger" : "smaller";
    state.said =
      `${right === sign ? "Yes" : "No"}: where there are more tokens between, L2 is ${higher}, ` +
      `so ${NAMES[a]} and ${NAMES[b]} are ${right > 0 ? "concordant" : "discordant"}. `;
    state.done += 1;
    show();
  };
  const answers = [
    parts.button("They agree", () => answer(1)),
    parts.button("They disagree", () => answer(-1)),
    parts.button("Count the rest", () => {
      Object.assign(state, { done: pairs.length, said: "" });
      show();
    }),
  ];
  parts.button("Start again", () => {
    Object.assign(state, { done: 0, said: "" });
    show();
  });
  show();
});
