/** Points in boxes: how many bits they hold depends on the number of boxes. */

import { boxCounts, histogramInformation, ksgInformation, standardised } from "./lib/information.js";
import { randomSource, shuffled } from "./lib/random.js";
import { get, onChange } from "./lib/store.js";
import { decimals, oncePerFrame } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, box, dot, extent, line, text } from "./ui/plot.js";

const [FEWEST, MOST] = [2, 40];

explorables("bins", (data, parts) => {
  const random = randomSource(0); // goes on: each shuffle is another
  let mixed;
  const bitsOf = (y) =>
    Array.from({ length: MOST - FEWEST + 1 }, (_, i) =>
      histogramInformation(boxCounts(data.x, y, FEWEST + i)),
    );
  const [curves, neighbours] = [[bitsOf(data.y)], [data.neighbours]]; // as measured, and shuffled
  const mix = () => {
    mixed = shuffled(data.y, random);
    curves[1] = bitsOf(mixed);
    const nats = ksgInformation(standardised(data.x), standardised(mixed), data.n_neighbors);
    neighbours[1] = Math.max(0, nats / Math.LN2);
  };
  const state = { bins: data.bins, shuffled: 0 };
  const points = () => [data.x, state.shuffled ? mixed : data.y];
  const bits = () => curves[state.shuffled][state.bins - FEWEST];

  const boxes = parts.drawing(
    "The points in their boxes; the more points in a box, the fuller its colour",
    (drawing, width, height) => {
      const [x, y] = points();
      const ranges = { x: extent(x, 0), y: extent(y, 0) };
      const place = axes(drawing, width, height, { ...ranges, xLabel: "x", yLabel: "y" });
      const counts = boxCounts(x, y, state.bins);
      const most = Math.max(...counts.flat());
      const [left, top, right, bottom] = place.box;
      const [wide, high] = [(right - left) / state.bins, (bottom - top) / state.bins];
      counts.forEach((column, i) =>
        column.forEach((count, j) => {
          if (!count) return;
          const at = [left + i * wide, bottom - (j + 1) * high];
          drawing.append(box(...at, wide - 0.7, high - 0.7, "c0", 0.12 + (0.6 * count) / most));
        }),
      );
      x.forEach((value, i) => drawing.append(dot(place.x(value), place.y(y[i]), 1.6, "ink")));
    },
    { height: 280 },
  );

  const curve = parts.drawing(
    "Bits against the number of boxes along each axis, beside the dashed line of the nearest neighbours",
    (drawing, width, height) => {
      const ranges = { x: [0, MOST], y: [0, Math.max(...curves.flat()) * 1.05] };
      const labels = { xLabel: "Boxes along each axis", yLabel: "Bits" };
      const place = axes(drawing, width, height, { ...ranges, ...labels });
      const seen = curves[state.shuffled];
      const at = (i) => [place.x(FEWEST + i), place.y(seen[i])];
      drawing.append(line(seen.map((_, i) => at(i)), "c0"));
      const said = neighbours[state.shuffled];
      const y = place.y(said);
      drawing.append(line([[place.box[0], y], [place.box[2], y]], "c1 dashed"));
      const below = y + 16 < place.box[3];
      drawing.append(text(place.box[2], below ? y + 16 : y - 6, `neighbours ${decimals(said)}`, "end"));
      drawing.append(dot(...at(state.bins - FEWEST), 6, "c0"));
      const sketch = get(`predict:${data.sketch}`)?.value;
      if (!Array.isArray(sketch)) return;
      const points = sketch.map(([bins, bits]) => [place.x(bins), place.y(bits)]);
      drawing.append(line(points, "c2 dotted"), text(points[0][0], points[0][1] - 8, "your sketch", "start"));
    },
    { height: 280 },
  );

  const show = () => {
    boxes.again();
    curve.again();
    const hit = boxCounts(...points(), state.bins).flat().filter(Boolean).length;
    const truth = state.shuffled ? ", and the truth is 0: y is shuffled, each time anew" : "";
    parts.say(
      `${state.bins} × ${state.bins} boxes report ${decimals(bits())} bits. ${hit} of the ` +
        `${state.bins ** 2} boxes hold a point; each of these, on average, ` +
        `${decimals(data.x.length / hit, 1)} of the ${data.x.length}. ` +
        `The neighbours say ${decimals(neighbours[state.shuffled])} bits${truth}.`,
    );
  };
  const move = oncePerFrame((bins) => {
    state.bins = bins;
    show();
  });
  const words = (bins) => `${bins} × ${bins}`;
  parts.slider("Boxes", { min: FEWEST, max: MOST, value: data.bins, words }, move);
  parts.choice("y is", ["as measured", "shuffled"], (which) => {
    if (which) mix();
    state.shuffled = which;
    show();
  });
  onChange(() => curve.again());
  show();
});
