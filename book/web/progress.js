/** What a reader has done: marks in the sidebar, a box at the foot of a page, a file to take away.
 *
 * The parts of the sidebar say what is counted: pages that are read, exercises that are done. */

import { fits } from "./lib/kept.js";
import { all, clear, get, lasting, onChange, set } from "./lib/store.js";
import { worded } from "./lib/words.js";
import { html } from "./ui/dom.js";

const READING = 30_000; // ms that a page must have been open before its end counts as read
const opened = performance.now();
const FILE = "course-progress.json";
const KINDS = {
  read: { words: worded("I have read this chapter"), counts: () => true },
  done: { words: worded("I have done this exercise"), counts: (page) => page.startsWith("exercises/") },
};
const MARKS = { read: worded("read"), done: worded("done") };

const root = new URL(document.documentElement.dataset.content_root || "./", location.href).pathname;
const nameOf = (link) => link.pathname.slice(root.length).replace(/\.html$/, "");
const keyOf = ({ kind, page }) => `${kind}:${page}`;

/** The lines of the sidebar that count: { kind, page, link }. */
function lines() {
  return [...document.querySelectorAll(".course-part[data-progress]")].flatMap((part) => {
    const kind = part.dataset.progress;
    const links = [...part.querySelectorAll("li > a")];
    return links.map((link) => ({ kind, page: nameOf(link), link })).filter(({ page }) => KINDS[kind].counts(page));
  });
}

// The foot of a page --------------------------------------------------------------------------

/** A box to tick; the end of a chapter ticks it, unless somebody took the tick away. */
function askHere(line) {
  const key = keyOf(line);
  const input = html("input", { type: "checkbox", onchange: () => set(key, input.checked) });
  const box = html("p", { class: "course-read" }, html("label", {}, input, KINDS[line.kind].words));
  document.querySelector("article.bd-article")?.append(box);
  if (line.kind === "read") tickAtEnd(box, key);
  return () => (input.checked = get(key) === true);
}

function tickAtEnd(box, key) {
  let timer;
  new IntersectionObserver(([{ isIntersecting }]) => {
    clearTimeout(timer);
    if (!isIntersecting) return;
    const tick = () => get(key) === undefined && set(key, true);
    timer = setTimeout(tick, Math.max(1000, opened + READING - performance.now()));
  }).observe(box);
}

// The sidebar ---------------------------------------------------------------------------------

function mark({ kind, link }, is) {
  const old = link.querySelector(".course-mark");
  if (is && !old) link.append(html("span", { class: "course-mark", role: "img", "aria-label": MARKS[kind] }, "✓"));
  if (!is) old?.remove();
}

/** What is kept besides the marks, in words. */
function others() {
  const made = Object.keys(all("predict:")).length;
  const right = Object.values(all("quiz:")).filter((answer) => answer?.right).length;
  return [worded("Predictions made: {n}", { n: made }), worded("Questions answered: {n}", { n: right })];
}

function count(counted, kind) {
  const of = counted.filter((line) => line.kind === kind);
  return [of.filter((line) => get(keyOf(line)) === true).length, of.length];
}

function panel() {
  const what = html("ul");
  const note = html("p", { class: "note", role: "status" });
  const picker = html("input", { type: "file", accept: ".json", hidden: true, "aria-label": worded("A saved file") });
  picker.addEventListener("change", () => load(picker, note));
  const button = (words, onclick) => html("button", { type: "button", onclick }, words);
  const buttons = html(
    "div",
    { class: "buttons" },
    button(worded("Save as a file"), save),
    button(worded("Load a file"), () => picker.click()),
    button(worded("Clear"), () => confirm(worded("Forget all that is kept here?")) && clear()),
  );
  const head = html("summary", {}, worded("Your progress"));
  const box = html("details", { class: "course-kept" }, head, what, buttons, picker, note);
  if (!lasting()) note.textContent = worded("This browser keeps nothing here: save a file before you leave.");
  return { box, tell: (texts) => what.replaceChildren(...texts.map((text) => html("li", {}, text))) };
}

// A file --------------------------------------------------------------------------------------

function save() {
  const text = JSON.stringify({ course: "progress", version: 1, kept: all() }, null, 1);
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  html("a", { href, download: FILE }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

async function load(picker, note) {
  const [file] = picker.files;
  picker.value = "";
  if (!file) return;
  const entries = read(await file.text());
  if (!entries) return (note.textContent = worded("This is no file that was saved here."));
  const ours = entries.filter(([name, value]) => fits(name, value));
  for (const [name, value] of ours) set(name, value);
  const left = entries.length - ours.length;
  note.textContent = left
    ? worded("Loaded {file}, without {n} of its entries, which are none of this course.", { file: file.name, n: left })
    : worded("Loaded {file}.", { file: file.name });
}

/** Names and values of a saved file; null if it is none. */
function read(text) {
  try {
    const { course, version, kept } = JSON.parse(text);
    const isOurs = course === "progress" && version === 1 && kept?.constructor === Object;
    return isOurs ? Object.entries(kept) : null;
  } catch {
    return null;
  }
}

// All of it -----------------------------------------------------------------------------------

function begin(counted) {
  const here = counted.find(({ page }) => page === nameOf(location));
  const tick = here ? askHere(here) : () => {};
  const { box, tell } = panel();
  const head = html("p", { class: "course-count" });
  counted[0].link.closest(".course-part").before(head);
  document.querySelector("#pst-primary-sidebar nav.bd-links").append(box);
  const draw = () => {
    for (const line of counted) mark(line, get(keyOf(line)) === true);
    const [read, chapters] = count(counted, "read");
    const [done, exercises] = count(counted, "done");
    head.textContent = worded("{read} of {chapters} read", { read, chapters });
    const line = worded("Exercises done: {done} of {exercises}", { done, exercises });
    tell([...(exercises ? [line] : []), ...others()]);
    tick();
  };
  draw();
  onChange(draw);
}

const counted = lines();
if (counted.length) begin(counted);
