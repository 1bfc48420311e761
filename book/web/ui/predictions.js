/** Predictions: asked where the page asks, kept in this browser, told again beside the result. */

import { readNumber } from "../lib/answers.js";
import { get, lasting, set } from "../lib/store.js";
import { worded } from "../lib/words.js";
import { html } from "./dom.js";
import { sketch } from "./sketch.js";

const KEPT = worded("Kept in this browser, and told you beside the result.");
const NOT_KEPT = worded("Kept until you leave this page: this browser stores nothing here.");

/** Make every place of the page that asks, and every place that tells. */
export function predictions() {
  document.querySelectorAll(".predict[data-name]").forEach(ask);
  tell();
}

function ask(place, i) {
  const { name, unit, sketch: axes } = place.dataset;
  const key = `predict:${name}`;
  const note = html("p", { class: "note", "aria-live": "polite" });
  const keep = (value, words) => {
    set(key, { value, words });
    note.textContent = lasting() ? KEPT : NOT_KEPT;
    tell();
  };
  const list = place.querySelector("ul");
  const kept = get(key);
  const fields = () => {
    if (list) return choices(list, `predict-${i}`, kept, keep);
    return axes ? [sketch(JSON.parse(axes), kept, keep)] : number(unit, kept, keep, note);
  };
  const question = place.parentElement.querySelector("p");
  question.id ||= `asked-${i}`;
  const box = html("fieldset", { "aria-describedby": question.id });
  box.append(html("legend", {}, axes ? worded("Your sketch") : worded("Your prediction")), ...fields());
  place.replaceChildren(box, note);
  place.hidden = false;
}

function choices(list, group, kept, keep) {
  return [...list.children].map((item, value) => {
    const words = item.textContent.trim();
    const input = html("input", { type: "radio", name: group, checked: kept?.words === words });
    input.addEventListener("change", () => keep(value, words));
    return html("label", {}, input, html("span", {}, ...item.querySelector("p").childNodes));
  });
}

function number(unit, kept, keep, note) {
  const shape = { type: "text", inputmode: "decimal", size: 7, autocomplete: "off" };
  const input = html("input", { ...shape, value: kept?.value ?? "" });
  input.addEventListener("change", () => {
    const value = readNumber(input.value);
    input.setAttribute("aria-invalid", Number.isNaN(value));
    if (Number.isNaN(value)) note.textContent = worded("Write a number, such as 1.5.");
    else keep(value, `${input.value.trim()} ${unit}`.trim());
  });
  return [html("label", {}, input, html("span", {}, unit || worded("as a number")))];
}

function tell() {
  for (const place of document.querySelectorAll(".said[data-name]")) {
    const kept = get(`predict:${place.dataset.name}`);
    if (!kept) continue;
    place.querySelector(".what")?.remove();
    const what = html("strong", { class: "what" }, `${worded("You had said: {words}.", { words: kept.words })} `);
    (place.querySelector("p") ?? place).prepend(what);
    place.hidden = false;
  }
}
