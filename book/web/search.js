// Search: the words of all pages come as one script when the first letter is typed, so it works
// from file:// too; MiniSearch makes an index of them, and results quote the place.

import MiniSearch from "minisearch";

import { worded } from "./lib/words.js";

const ROOT = document.documentElement.dataset.content_root;
const SHOWN = 20; // results
const BEFORE = 60; // letters quoted before the first word found
const QUOTED = 220;
const WEIGHT = { book: 1, exercises: 0.2, solutions: 0.1 }; // who asks what tau is wants the chapter

/** Load the words of all pages; resolves to an index. */
const index = new Promise((resolve, reject) => {
  window.courseTexts = (rows) => {
    const made = new MiniSearch({
      fields: ["heading", "title", "text"],
      storeFields: ["address", "title", "anchor", "heading", "text"],
      searchOptions: {
        boost: { heading: 4, title: 2 },
        prefix: (term) => term.length > 2,
        fuzzy: (term) => (term.length > 5 ? 0.15 : false),
        combineWith: "AND",
        boostDocument: (id, term, { address }) => WEIGHT[address.split("/")[0]] ?? 1,
      },
    });
    made.addAll(
      rows.map(([address, title, anchor, heading, text], id) => ({ id, address, title, anchor, heading, text })),
    );
    resolve(made);
  };
  const script = document.createElement("script");
  script.src = `${ROOT}_static/search-texts.js`;
  script.onerror = reject;
  document.head.append(script);
});

/** Split a text at the words found, which the result marks. */
function marked(text, terms) {
  const escaped = terms.map((term) => term.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = text.split(new RegExp(`(${escaped.join("|")})`, "giu"));
  return parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const mark = document.createElement("mark");
    mark.textContent = part;
    return mark;
  });
}

/** Quote the place of a text where the first word found stands. */
function quote(text, terms) {
  const lower = text.toLowerCase();
  const places = terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0);
  const start = Math.max(0, Math.min(...places, Infinity) - BEFORE);
  const from = !Number.isFinite(start) || start === 0 ? 0 : text.indexOf(" ", start) + 1;
  const part = text.slice(from, from + QUOTED);
  return `${from ? "… " : ""}${part}${from + QUOTED < text.length ? " …" : ""}`;
}

function item({ address, title, anchor, heading, text, terms }) {
  const [entry, link, words] = ["li", "a", "p"].map((name) => document.createElement(name));
  link.href = `${ROOT}${address}#${anchor}`;
  link.append(...marked(heading, terms));
  entry.append(link);
  if (heading !== title) entry.append(` ${worded("in {title}", { title })}`);
  words.append(...marked(quote(text, terms), terms));
  entry.append(words);
  return entry;
}

/** What is found for some words, and a sentence about it. */
async function find(asked) {
  const made = await index;
  let found = made.search(asked);
  if (!found.length) found = made.search(asked, { combineWith: "OR" });
  if (!found.length) return { found, words: worded("“{asked}” is nowhere in this book.", { asked }) };
  const many = { n: found.length, shown: SHOWN };
  let words = worded("Found in {n} sections. The arrow keys lead to them.", many);
  if (found.length === 1) words = worded("Found in 1 section. The arrow keys lead to them.");
  if (found.length > SHOWN)
    words = worded("Found in {n} sections, the first {shown} of them here. The arrow keys lead to them.", many);
  return { found, words };
}

/** Show below a search field what is found for its words. */
async function answer(field, said, list) {
  const asked = field.value.trim();
  const lost = () => ({ found: [], words: worded("The words of this book could not be loaded.") });
  const { found, words } = asked ? await find(asked).catch(lost) : { found: [], words: "" };
  if (field.value.trim() !== asked) return; // more was typed since
  said.textContent = words;
  list.replaceChildren(...found.slice(0, SHOWN).map(item));
}

/** Let the arrows lead from the field into the results, through them, and back. */
function takeArrows(field, place) {
  place.addEventListener("keydown", (event) => {
    const stops = [field, ...place.querySelectorAll(".search-results a")];
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = by && stops[stops.indexOf(document.activeElement) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

function attach(form) {
  const field = form.querySelector("input");
  const [place, said, list] = ["div", "p", "ol"].map((name) => document.createElement(name));
  place.className = "search-results";
  said.setAttribute("aria-live", "polite");
  place.append(said, list);
  form.after(place);
  takeArrows(field, form.parentElement);
  const act = () => answer(field, said, list);
  field.addEventListener("input", act);
  if (form.closest(".bd-search-container")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    field.value ||= new URLSearchParams(location.search).get("q") ?? "";
  }
  act();
}

document.querySelectorAll("form.bd-search").forEach(attach);
