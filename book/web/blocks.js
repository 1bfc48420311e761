/** One slider moves through the blocks of a model: heat map, scatter and curve. */

import { itemsOf, placeOf } from "./lib/pairs.js";
import { kendallTau } from "./lib/ranks.js";
import { decimals, oncePerFrame } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, box, dot, extent, heatMap, line, text } from "./ui/plot.js";

const COMPONENTS = ["attention", "MLP"];

explorables("blocks", (data, parts) => {
  const models = Object.keys(data.measured); // {model: [component][block][pair]}
  const n = itemsOf(data.apart.length);
  const layers = data.measured[models[0]][0].length;
  const state = { block: 0, model: 0, component: 1 };
  const rows = (model = state.model) => data.measured[models[model]][state.component];
  const values = () => rows()[state.block];
  const taus = models.map((_, model) =>
    COMPONENTS.map((_, c) =>
      data.measured[models[model]][c].map((row) => kendallTau(data.apart, row)),
    ),
  );
  const tau = (model = state.model) => taus[model][state.component][state.block];

  const heat = parts.drawing(
    "The targets against each other: the darker a square, the farther apart the two vectors",
    (drawing, width) => {
      const size = Math.min(width - 12, 220);
      drawing.append(text(6, 14, `L2 between ${n} targets`, "start", "title"));
      const value = (i, j) => values()[placeOf(i, j, n)];
      heatMap(drawing, 6, 26, size, n, value, extent(values(), 0));
    },
    { height: 260, share: 2 },
  );
  const scatter = parts.drawing(
    "One dot for each pair of targets: L2 against the distance in tokens",
    (drawing, width, height) => {
      const ranges = { x: [0, extent(data.apart)[1]], y: extent(values()) };
      const labels = { xLabel: "Tokens apart", yLabel: "L2", title: `tau ${decimals(tau())}` };
      const place = axes(drawing, width, height, { ...ranges, ...labels });
      data.apart.forEach((gap, i) =>
        drawing.append(dot(place.x(gap), place.y(values()[i]), 3.2, `c${state.model}`)),
      );
    },
    { height: 260, share: 3 },
  );
  const curve = parts.drawing(
    `Tau of each block, one line for each model: ${models.join(", ")}`,
    (drawing, width, height) => {
      const all = taus.flat(2);
      const ranges = { x: [0, layers - 1], y: [Math.min(0, ...all) - 0.08, 1] };
      const labels = { xLabel: "Block", yLabel: "tau", title: "Through the model" };
      const place = axes(drawing, width, height, { ...ranges, ...labels });
      const at = place.x(state.block);
      drawing.append(box(at - 0.7, place.box[1], 1.4, place.box[3] - place.box[1], "grey", 0.5));
      models.forEach((_, model) => {
        const seen = taus[model][state.component];
        const look = `c${model} ${["", "dashed", "dotted"][model]} ${model === state.model ? "thick" : ""}`;
        drawing.append(line(seen.map((value, block) => [place.x(block), place.y(value)]), look));
        drawing.append(dot(at, place.y(seen[state.block]), model === state.model ? 6 : 3, `c${model}`));
      });
    },
    { height: 260, share: 3 },
  );

  const show = () => {
    for (const drawing of [heat, scatter, curve]) drawing.again();
    const others = models
      .map((name, model) => [name, model])
      .filter(([, model]) => model !== state.model)
      .map(([name, model]) => `${decimals(tau(model))} ${name}`);
    parts.say(
      `${COMPONENTS[state.component]} of block ${state.block}, ${models[state.model]}: tau of L2 ` +
        `with the distance in tokens is ${decimals(tau())}; there it is ${others.join(" and ")}.`,
    );
  };
  parts.slider("Block", { min: 0, max: layers - 1, value: 0 }, oncePerFrame((block) => {
    state.block = block;
    show();
  }));
  parts.choice("Model", models, (model) => {
    state.model = model;
    show();
  });
  parts.choice("Part", [...COMPONENTS].reverse(), (which) => {
    state.component = 1 - which;
    show();
  });
  show();
});
