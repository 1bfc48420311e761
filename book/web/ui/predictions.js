/** Predictions: asked where the page asks, kept in this browser, told again beside the result. */

import { readNumber } from "../lib/answers.js";
import { get, onChange, set } from "../lib/store.js";
import { worded } from "../lib/words.js";
import { html } from "./dom.js";
import { sketch } from "./sketch.js";

const KEPT = worded("Kept in this browser, and told you beside the result.");
const NOT_KEPT = worded("Kept until you leave this page: this browser stores nothing here.");

/** Make every place of the page that asks, and every place that tells. */
export function predictions() {
  document.querySelectorAll(".predict[data-name]").forEach(ask);
  tell();
  onChange(tell);
}

function ask(place, i) {
  const { name, unit, sketch: axes } = place.dataset;
  const key = `predict:${name}`;
  const note = html("p", { class: "note", "aria-live": "polite" });
  let told; // of what is kept
  const keep = (value, words) => {
    told = JSON.stringify({ value, words });
    note.textContent = set(key, { value, words }) ? KEPT : NOT_KEPT;
  };
  const list = place.querySelector("ul");
  const fields = () => {
    if (list) return choices(list, `predict-${i}`, keep);
    return axes ? sketch(JSON.parse(axes), keep) : number(unit, keep, note);
  };
  const { elements, put } = fields();
  const question = place.parentElement.querySelector("p");
  question.id ||= `asked-${i}`;
  const box = html("fieldset", { "aria-describedby": question.id });
  box.append(html("legend", {}, axes ? worded("Your sketch") : worded("Your prediction")), ...elements);
  place.replaceChildren(box, note);
  place.hidden = false;
  const recall = () => {
    const kept = get(key);
    if (JSON.stringify(kept) === told) return;
    told = JSON.stringify(kept);
    put(kept);
    note.textContent = "";
  };
  recall();
  onChange(recall);
}

/* Each kind makes its elements, tells `keep` what was said, and returns how to `put` back what is
 * kept, if anything is: on another visit, from a file, or in another tab. */

function choices(list, group, keep) {
  const inputs = new Map();
  const elements = [...list.children].map((item, value) => {
    const words = item.textContent.trim();
    const input = html("input", { type: "radio", name: group, onchange: () => keep(value, words) });
    inputs.set(words, input);
    return html("label", {}, input, html("span", {}, ...item.querySelector("p").childNodes));
  });
  const put = (kept) => inputs.forEach((input, words) => (input.checked = kept?.words === words));
  return { elements, put };
}

function number(unit, keep, note) {
  const input = html("input", { type: "text", inputmode: "decimal", size: 7, autocomplete: "off" });
  input.addEventListener("change", () => {
    const value = readNumber(input.value);
    input.setAttribute("aria-invalid", Number.isNaN(value));
    if (Number.isNaN(value)) note.textContent = worded("Write a number, such as 1.5.");
    else keep(value, `${input.value.trim()} ${unit}`.trim());
  });
  const put = (kept) => {
    if (document.activeElement === input) return; // somebody writes
    input.value = Number.isFinite(kept?.value) ? kept.value : "";
  };
  return { elements: [html("label", {}, input, html("span", {}, unit || worded("as a number")))], put };
}

function tell() {
  for (const place of document.querySelectorAll(".said[data-name]")) {
    const kept = get(`predict:${place.dataset.name}`);
    place.querySelector(".what")?.remove();
    place.hidden = !kept;
    if (!kept) continue;
    const what = html("strong", { class: "what" }, `${worded("You had said: {words}.", { words: kept.words })} `);
    (place.querySelector("p") ?? place).prepend(what);
  }
}
