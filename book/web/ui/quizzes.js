/** Quizzes: of each list with folded answers, questions that can be answered on the page. */

import { firstWrong, near, readNumber } from "../lib/answers.js";
import { get, set } from "../lib/store.js";
import { html } from "./dom.js";

/** Make the quizzes of the page. */
export function quizzes() {
  for (const quiz of document.querySelectorAll(".quiz[data-name]"))
    [...quiz.querySelector("ol").children].forEach((item, i) => {
      const kind = Object.keys(KINDS).find((name) => item.classList.contains(name));
      question(item, KINDS[kind], `quiz:${quiz.dataset.name}/${i + 1}`);
    });
}

function question(item, kind, key) {
  const [stem] = item.children;
  const answer = item.querySelector("details");
  const options = item.querySelector(":scope > ul");
  const box = html("fieldset", {}, html("legend", {}, ...stem.childNodes));
  const feedback = html("div", { class: "feedback", "aria-live": "polite" });
  /** Say whether an answer is right, and why; remember the best of them. */
  const judge = (right, ...words) => {
    const sign = html("strong", { class: right ? "yes" : "no" }, right ? "✓ Right. " : "✗ Not yet. ");
    feedback.replaceChildren(sign, ...words);
    const before = get(key) ?? { right: false, tries: 0 };
    if (!before.right) set(key, { right, tries: before.tries + 1 });
  };
  kind({ box, options, answer, judge, name: key });
  box.append(feedback);
  answer.querySelector("summary").textContent = "Show the answer"; // for who gives up, and paper
  box.append(answer);
  item.replaceChildren(box);
}

const copy = (element) => element.cloneNode(true).childNodes;

function choice({ box, options, answer, judge, name }) {
  const reasons = [...answer.querySelectorAll("li")];
  [...options.children].forEach((option, i) => {
    const right = reasons[i].classList.contains("right");
    const act = () => judge(right, ...copy(reasons[i].querySelector(".why")));
    const input = html("input", { type: "radio", name, onchange: act });
    box.append(html("label", {}, input, html("span", {}, ...option.querySelector("p").childNodes)));
  });
}

function number({ box, answer, judge }) {
  const value = readNumber(answer.querySelector(".value").textContent);
  const { off, unit = "" } = answer.dataset;
  const input = html("input", { type: "text", inputmode: "decimal", size: 7, autocomplete: "off" });
  const act = () => {
    const given = readNumber(input.value);
    if (Number.isNaN(given)) judge(false, "Write a number, such as 1.5.");
    else if (near(given, value, off)) judge(true, ...copy(answer.querySelector("p")));
    else judge(false, given < value ? "It is more than that." : "It is less than that.");
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && act());
  box.append(
    html("label", {}, html("span", { class: "sr" }, "Your answer"), input, html("span", {}, unit)),
    html("button", { type: "button", onclick: act }, "Check"),
  );
}

function order({ box, options, answer, judge }) {
  const places = answer.dataset.places.split(" ").map(Number);
  const list = html("ol", { class: "lines" });
  [...options.children].forEach((option, i) => {
    const line = html("li", { "data-place": places[i] });
    const words = option.textContent.trim();
    const move = (sign, way, by) =>
      html("button", { type: "button", "aria-label": `${way}: ${words}`, onclick: () => shift(line, by) }, sign);
    const buttons = html("span", { class: "moves" }, move("↑", "Up", -1), move("↓", "Down", 1));
    line.append(html("span", {}, ...option.querySelector("p").childNodes), buttons);
    list.append(line);
  });
  const shift = (line, by) => {
    const other = by < 0 ? line.previousElementSibling : line.nextElementSibling;
    const focused = document.activeElement;
    if (by < 0) other?.before(line);
    else other?.after(line);
    focused?.focus();
  };
  const act = () => {
    const wrong = firstWrong([...list.children].map((line) => Number(line.dataset.place)));
    if (wrong < 0) judge(true, ...copy(answer.querySelector(".why")));
    else judge(false, wrong ? `The first ${wrong === 1 ? "line is" : `${wrong} lines are`} in place; look at the next.` : "Another line comes first.");
  };
  box.append(list, html("button", { type: "button", onclick: act }, "Check"));
}

const KINDS = { choice, number, order };
