/** Trained curves between the bands of their controls: point at a block and read the values. */

import { decimals, oncePerFrame, span, svg } from "./ui/dom.js";
import { explorables } from "./ui/explorable.js";
import { axes, line, text } from "./ui/plot.js";

const COMPONENTS = ["Attention", "MLP"];
const DASHES = ["dashed", "dotted"]; // of the controls

explorables("profiles", (data, parts) => {
  const names = Object.keys(data.models); // {model: {trained: [part][block], bands: {control: …}}}
  const state = { model: 0, place: 0 }; // a place from 0 to 1, for models differ in depth
  const model = () => data.models[names[state.model]];
  const layers = () => model().trained[0].length;
  const block = () => Math.min(layers() - 1, Math.round(state.place * (layers() - 1)));
  let slider;

  const key = parts.drawing(
    `Blue and solid: trained. ${Object.keys(data.models[names[0]].bands).join(" and ")}: bands`,
    (drawing) => {
      const rows = ["trained", ...Object.keys(model().bands)];
      rows.forEach((name, k) => {
        const x = 4 + 105 * k;
        const look = k ? `c${k} thin ${DASHES[k - 1]}` : "c0 thick";
        drawing.append(line([[x, 10], [x + 26, 10]], look));
        drawing.append(text(x + 32, 14, name, "start"));
      });
    },
    { height: 22, whole: true },
  );

  const panels = COMPONENTS.map((component, c) =>
    parts.drawing(
      `${component}: tau over the blocks, the trained curve and a band for each control`,
      (drawing, width, height) => {
        const { trained, bands } = model();
        const labels = { xLabel: "Block", yLabel: "tau", title: component };
        const place = axes(drawing, width, height, { x: [0, layers() - 1], y: [-0.2, 1], ...labels });
        const at = (values) => values.map((value, i) => [place.x(i), place.y(value)]);
        Object.values(bands).forEach(([low, high], k) => {
          const around = [...at(low[c]), ...at(high[c]).reverse()];
          const d = `M${around.map((point) => point.join(" ")).join("L")}Z`;
          drawing.append(svg("path", { d, class: `band c${k + 1}` }));
          drawing.append(line(at(low[c]), `c${k + 1} thin ${DASHES[k]}`));
          drawing.append(line(at(high[c]), `c${k + 1} thin ${DASHES[k]}`));
        });
        drawing.append(line(at(trained[c]), "c0 thick"));
        const here = place.x(block());
        const [, top, , bottom] = place.box;
        drawing.append(line([[here, top], [here, bottom]], "grey thin"));
        drawing.append(svg("circle", { cx: here, cy: place.y(trained[c][block()]), r: 6, class: "c0" }));
        drawing.onpointermove = drawing.onpointerdown = (event) => {
          const x = event.clientX - drawing.getBoundingClientRect().left;
          const share = (x - place.box[0]) / (place.box[2] - place.box[0]);
          slider.set(Math.round(Math.min(1, Math.max(0, share)) * (layers() - 1)));
        };
      },
      { height: 270 },
    ),
  );
  const sentence = (c) => {
    const { trained, bands } = model();
    const others = Object.entries(bands).map(
      ([name, [low, high]]) => `${name} ${span(low[c][block()], high[c][block()])}`,
    );
    return `${COMPONENTS[c]}: trained ${decimals(trained[c][block()])}, ${others.join(", ")}.`;
  };
  const show = () => {
    for (const drawing of [...panels, key]) drawing.again();
    parts.say(`${names[state.model]}, block ${block()}. ${sentence(0)} ${sentence(1)}`);
  };
  const make = () => {
    const old = slider;
    slider = parts.slider("Block", { min: 0, max: layers() - 1, value: block() }, oncePerFrame((next) => {
      state.place = next / (layers() - 1);
      show();
    }));
    old?.replaceWith(slider);
  };
  make();
  parts.choice("Model", names, (which) => {
    state.model = which;
    make();
    show();
  });
  show();
});
