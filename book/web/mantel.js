/** The Mantel test by hand: deal the names anew, and look where tau falls. */

import { permutationP, relabel } from "./lib/order.js";
import { itemsOf, placeOf } from "./lib/pairs.js";
import { kendallTau } from "./lib/ranks.js";
import { randomSource, range, shuffled } from "./lib/random.js";
import { decimals } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, box, extent, heatMap, line, text } from "./ui/plot.js";

const WIDTH = 0.05; // of a column of blocks, in units of tau

explorables("mantel", (data, parts) => {
  const n = itemsOf(data.apart.length);
  const observed = kendallTau(data.apart, data.measured);
  const limits = extent(data.measured, 0);
  const state = {};
  const random = randomSource(1); // goes on: who starts again sees other deals

  const matrix = parts.drawing(
    `The ${n} vectors under the names they have been dealt: the fuller a square's colour, the farther apart the two`,
    (drawing, width) => {
      const size = Math.min(width - 40, 230);
      const value = (i, j) => data.measured[placeOf(state.names[i], state.names[j], n)];
      drawing.append(text(30, 14, state.taus.length ? "Vectors, dealt" : "Vectors, in their own places", "start", "title"));
      heatMap(drawing, 30, 26, size, n, value, limits);
      state.names.forEach((name, i) => {
        const at = 26 + ((i + 0.5) * size) / n + 4;
        drawing.append(text(24, at, name + 1, "end", name === i ? "muted" : "moved"));
      });
      drawing.append(text(30, size + 44, "fuller: farther apart", "start", "muted"));
      if (state.taus.length) drawing.append(text(30, size + 60, "bold: another vector stands there", "start", "muted"));
    },
    { height: 300, share: 1 },
  );

  const blocks = parts.drawing(
    "One block for each deal, stacked where its tau falls; dashed lines mark the observed tau, and its opposite",
    (drawing, width, height) => {
      const columns = Math.round(2 / WIDTH);
      const counts = new Array(columns).fill(0);
      const columnOf = (tau) => Math.min(columns - 1, Math.floor((tau + 1) / WIDTH));
      for (const tau of state.taus) counts[columnOf(tau)] += 1;
      const most = Math.max(10, ...counts);
      const place = axes(drawing, width, height, {
        x: [-1, 1],
        y: [0, most * 1.15],
        xLabel: "Kendall’s tau",
        yLabel: "Deals",
        title: "Where chance puts it",
      });
      const wide = place.x(WIDTH) - place.x(0) - 1;
      const high = place.y(0) - place.y(1);
      counts.forEach((count, column) => {
        const left = -1 + column * WIDTH;
        const [x, y] = [place.x(left) + 0.5, place.y(count)];
        if (count) drawing.append(box(x, y, wide, place.y(0) - y, "c1", 0.6));
      });
      if (state.taus.length && state.dealt === 1) {
        const column = columnOf(state.taus.at(-1));
        drawing.append(box(place.x(-1 + column * WIDTH) + 0.5, place.y(counts[column]), wide, Math.max(high, 2), "c0"));
      }
      const [, top, , bottom] = place.box;
      const at = place.x(observed);
      drawing.append(line([[at, top], [at, bottom]], "ink dashed"));
      const opposite = place.x(-observed); // a deal that lies there is as far from 0
      drawing.append(line([[opposite, top], [opposite, bottom]], "grey dashed"));
      drawing.append(text(at - 6, top + 12, `observed ${decimals(observed)}`, "end"));
    },
    { height: 290, share: 2 },
  );

  const show = () => {
    matrix.again();
    blocks.again();
    parts.say(sentence());
  };
  const sentence = () => {
    const deals = state.taus.length;
    if (!deals) return `With the names as they are, tau is ${decimals(observed)}. No deal yet.`;
    const p = permutationP(state.taus, observed);
    const reached = Math.round(p * (deals + 1)) - 1;
    return (
      `${state.dealt === 1 ? `This deal gives tau ${decimals(state.taus.at(-1))}. ` : ""}` +
      `After ${deals} ${deals === 1 ? "deal" : "deals"}, ${reached || "none"} of the taus ` +
      `${reached === 1 ? "lies" : "lie"} as far from 0 as the observed one: ` +
      `p = (${reached} + 1) / (${deals} + 1) = ${decimals(p, p < 0.01 ? 4 : 3)}.`
    );
  };
  const deal = (times) => {
    for (let k = 0; k < times; k++) {
      state.names = shuffled(range(n), random);
      state.taus.push(kendallTau(data.apart, relabel(data.measured, state.names)));
    }
    state.dealt = times;
    show();
  };
  const begin = () => {
    Object.assign(state, { names: range(n), taus: [], dealt: 0 });
    show();
  };
  parts.button("Deal the names anew", () => deal(1));
  parts.button("100 deals", () => deal(100));
  parts.button("Start again", begin);
  begin();
}, { replaces: false }); // the figure shows another null beside this one
