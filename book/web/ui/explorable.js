/** The frame of everything on a page that can be touched: its numbers, its drawings, its words. */

import { worded } from "../lib/words.js";
import { html, svg } from "./dom.js";

const LATER = 400; // ms without a change, after which a reader who listens is told

/** Start `begin(data, parts)` in each element of that name, once; see `parts` below.
 *
 * The numbers stand in the element itself, as JSON. The figure that stands there without a script
 * is kept for paper, and on the screen unless `replaces` is false.
 */
export function explorables(name, begin, { replaces = true } = {}) {
  for (const element of document.querySelectorAll(`.explorable[data-script="${name}"]`)) {
    if (element.querySelector(":scope > .stage")) continue; // begun before this script ran anew
    const data = JSON.parse(element.querySelector('script[type="application/json"]').textContent);
    const stage = html("div", { class: "stage", role: "group", "aria-label": data.title });
    element.prepend(stage);
    element.classList.toggle("replaced", replaces);
    if (replaces) addEventListener("load", () => fetchForPaper(element));
    begin(data, parts(stage, data, name));
  }
}

/** Have the pictures that nobody sees on the screen: a lazy one would be missing on paper. */
function fetchForPaper(element) {
  for (const image of element.querySelectorAll("img")) image.loading = "eager";
}

function parts(stage, data, name) {
  let fields = 0;
  const id = () => `${name}-${++fields}`; // of the page, on which other scripts make theirs
  stage.append(html("p", { class: "try" }, html("strong", {}, `${worded("Try it.")} `), data.try));
  const row = html("div", { class: "drawings" });
  const controls = html("div", { class: "handles" });
  const said = html("p", { class: "readout" });
  const heard = html("p", { class: "heard", "aria-live": "polite" });
  stage.append(controls, row, said, heard);
  let timer;
  return {
    /** A drawing that is made anew when its width changes: `draw(svg, width)`. */
    drawing: (label, draw, options) => drawing(row, label, draw, options),
    /** A slider with its value in words: `change(value)` at each move. */
    slider: (label, options, change) => controls.appendChild(slider(id(), label, options, change)),
    button: (label, act) => {
      const made = html("button", { type: "button", onclick: act }, label);
      return controls.appendChild(made);
    },
    choice: (label, names, change) => controls.appendChild(choice(id(), label, names, change)),
    /** Say in a sentence what is to be seen now. Who listens hears it once it stays so. */
    say: (sentence) => {
      said.textContent = sentence;
      clearTimeout(timer);
      timer = setTimeout(() => (heard.textContent = sentence), LATER);
    },
  };
}

function drawing(row, label, draw, { height = 260, share = 1, whole = false } = {}) {
  const element = svg("svg", { role: "img", "aria-label": label, height });
  const holder = html("div", { class: "drawing", style: `flex: ${share} 1 ${whole ? "100%" : "15rem"}` }, element);
  row.append(holder);
  let width = 0;
  const again = () => {
    if (!width) return;
    element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    element.replaceChildren();
    draw(element, width, height);
  };
  new ResizeObserver(([{ contentRect }]) => {
    const found = Math.round(contentRect.width); // to ask the holder would lay out the page anew
    if (found === width) return;
    width = found;
    again();
  }).observe(holder);
  return { element, again };
}

function slider(id, label, { min, max, step = 1, value, words = String }, change) {
  const output = html("output", { for: id }, words(value));
  const input = html("input", { id, type: "range", min, max, step, value });
  input.setAttribute("aria-valuetext", words(value));
  input.addEventListener("input", () => {
    output.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    change(Number(input.value));
  });
  const box = html("div", { class: "slider" }, html("label", { for: id }, label), input, output);
  /** Put the slider somewhere, as if the reader had. */
  box.set = (next) => {
    input.value = next;
    input.dispatchEvent(new Event("input"));
  };
  return box;
}

function choice(name, label, names, change) {
  const radios = names.map((text, i) => {
    const input = html("input", { type: "radio", name, checked: i === 0, onchange: () => change(i) });
    return html("label", {}, input, text);
  });
  return html("fieldset", { class: "choice" }, html("legend", {}, label), ...radios);
}
