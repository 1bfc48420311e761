/** Quizzes: of each list with folded answers, questions that can be answered on the page. */

import { firstWrong, near, readNumber } from "../lib/answers.js";
import { get, onChange, set } from "../lib/store.js";
import { worded } from "../lib/words.js";
import { html } from "./dom.js";

/** Make the quizzes of the page. */
export function quizzes() {
  for (const quiz of document.querySelectorAll(".quiz[data-name]"))
    [...quiz.querySelector("ol").children].forEach((item, i) => {
      const kind = Object.keys(KINDS).find((name) => item.classList.contains(name));
      question(item, KINDS[kind], `quiz:${quiz.dataset.name}/${i + 1}`);
    });
}

/** A question, with the answer that was given last, if this browser keeps one. */
function question(item, kind, key) {
  const [stem] = item.children;
  const answer = item.querySelector("details");
  const options = item.querySelector(":scope > ul");
  const box = html("fieldset", {}, html("legend", {}, ...stem.childNodes));
  const feedback = html("div", { class: "feedback", "aria-live": "polite" });
  const say = ({ right, words }) => {
    const sign = html("strong", { class: right ? "yes" : "no" }, `${right ? worded("✓ Right.") : worded("✗ Not yet.")} `);
    feedback.replaceChildren(sign, ...words);
  };
  const { judge, put } = kind({ box, options, answer, name: key, answered });
  /** Say whether an answer is right, and why; keep it, and whether one was right before. */
  function answered(given) {
    const verdict = judge(given);
    say(verdict);
    if (verdict.right === undefined) return; // it was none
    said = JSON.stringify(given);
    const before = get(key) ?? { right: false, tries: 0 };
    const tries = before.right ? before.tries : before.tries + 1;
    set(key, { given, right: before.right || verdict.right, tries });
  }
  let said; // about which answer
  /** Answer as it is kept: on another visit, from a file, in another tab; or forgotten. */
  function recall() {
    const given = get(key)?.given;
    if (JSON.stringify(given) === said) return;
    said = JSON.stringify(given);
    if (put(given)) say(judge(given));
    else feedback.replaceChildren();
  }
  recall(); // before anybody listens
  onChange(recall);
  answer.querySelector("summary").textContent = worded("Show the answer"); // for who gives up, and paper
  box.append(feedback, answer);
  item.replaceChildren(box);
}

const copy = (element) => element.cloneNode(true).childNodes;

/* Each kind makes its controls, tells `answered` what was given, and returns how to `judge` that,
 * and how to `put` back what is kept: false if that is nothing, or the page, written anew, has no
 * place for it. */

function choice({ box, options, answer, name, answered }) {
  const reasons = [...answer.querySelectorAll("li")];
  const inputs = [...options.children].map((option) => {
    const value = option.textContent.trim();
    const input = html("input", { type: "radio", name, value, onchange: () => answered(value) });
    box.append(html("label", {}, input, html("span", {}, ...option.querySelector("p").childNodes)));
    return input;
  });
  const placeOf = (given) => inputs.findIndex(({ value }) => value === given);
  return {
    judge(given) {
      const reason = reasons[placeOf(given)];
      return { right: reason.classList.contains("right"), words: copy(reason.querySelector(".why")) };
    },
    put(given) {
      for (const input of inputs) input.checked = input.value === given;
      return placeOf(given) >= 0;
    },
  };
}

function number({ box, answer, answered }) {
  const right = readNumber(answer.querySelector(".value").textContent);
  const { off, unit = "" } = answer.dataset;
  const input = html("input", { type: "text", inputmode: "decimal", size: 7, autocomplete: "off" });
  const act = () => answered(input.value.trim());
  input.addEventListener("keydown", (event) => event.key === "Enter" && act());
  box.append(
    html("label", {}, html("span", { class: "sr" }, worded("Your answer")), input, html("span", {}, unit)),
    html("button", { type: "button", onclick: act }, worded("Check")),
  );
  return {
    judge(text) {
      const given = readNumber(text);
      if (Number.isNaN(given)) return { words: [worded("Write a number, such as 1.5.")] };
      if (near(given, right, off)) return { right: true, words: copy(answer.querySelector("p")) };
      const words = [given < right ? worded("It is more than that.") : worded("It is less than that.")];
      return { right: false, words };
    },
    put(text) {
      const isText = typeof text === "string";
      input.value = isText ? text : "";
      return isText;
    },
  };
}

function order({ box, options, answer, answered }) {
  const places = answer.dataset.places.split(" ").map(Number);
  const list = html("ol", { class: "lines" });
  const lines = [...options.children].map((option, i) => {
    const line = html("li");
    const words = option.textContent.trim();
    const move = (sign, way, by) =>
      html("button", { type: "button", "aria-label": `${way}: ${words}`, onclick: () => shift(line, by) }, sign);
    const buttons = html("span", { class: "moves" }, move("↑", worded("Up"), -1), move("↓", worded("Down"), 1));
    line.append(html("span", {}, ...option.querySelector("p").childNodes), buttons);
    return { line, words, place: places[i] };
  });
  list.append(...lines.map(({ line }) => line));
  const shift = (line, by) => {
    const other = by < 0 ? line.previousElementSibling : line.nextElementSibling;
    const focused = document.activeElement;
    if (by < 0) other?.before(line);
    else other?.after(line);
    focused?.focus();
  };
  const find = (words) => lines.find((one) => one.words === words);
  const current = () => [...list.children].map((line) => lines.find((one) => one.line === line).words);
  box.append(list, html("button", { type: "button", onclick: () => answered(current()) }, worded("Check")));
  return {
    judge(given) {
      const wrong = firstWrong(given.map((words) => find(words).place));
      if (wrong < 0) return { right: true, words: copy(answer.querySelector(".why")) };
      const inPlace =
        wrong === 1
          ? worded("The first line is in place; look at the next.")
          : worded("The first {n} lines are in place; look at the next.", { n: wrong });
      return { right: false, words: [wrong ? inPlace : worded("Another line comes first.")] };
    },
    put(given) {
      const fits = Array.isArray(given) && given.length === lines.length && given.every(find);
      list.append(...(fits ? given.map(find) : lines).map(({ line }) => line));
      return fits;
    },
  };
}

const KINDS = { choice, number, order };
