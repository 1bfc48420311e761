// Search: the words of all pages come as one script when the first letter is typed, so it works
// from file:// too; MiniSearch makes an index of them, and results quote the place.

import MiniSearch from "minisearch";

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
  if (heading !== title) entry.append(` in ${title}`);
  words.append(...marked(quote(text, terms), terms));
  entry.append(words);
  return entry;
}

/** Show below a search field what is found for its words. */
async function answer(field, place) {
  const asked = field.value.trim();
  if (!asked) {
    place.replaceChildren();
    return;
  }
  const said = document.createElement("p");
  try {
    const made = await index;
    let found = made.search(asked);
    if (!found.length) found = made.search(asked, { combineWith: "OR" });
    if (field.value.trim() !== asked) return; // more was typed since
    const list = document.createElement("ol");
    list.append(...found.slice(0, SHOWN).map(item));
    const sections = found.length === 1 ? "1 section" : `${found.length} sections`;
    const rest = found.length > SHOWN ? `, the first ${SHOWN} of them here` : "";
    said.textContent = found.length ? `Found in ${sections}${rest}.` : `“${asked}” is nowhere in this book.`;
    place.replaceChildren(said, list);
  } catch {
    said.textContent = "The words of this book could not be loaded.";
    place.replaceChildren(said);
  }
}

function attach(form) {
  const field = form.querySelector("input");
  const place = document.createElement("div");
  place.className = "search-results";
  place.setAttribute("aria-live", "polite");
  form.after(place);
  field.addEventListener("input", () => answer(field, place));
  if (field.value) answer(field, place);
  if (form.closest(".bd-search-container")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    field.value ||= new URLSearchParams(location.search).get("q") ?? "";
    answer(field, place);
  }
}

document.querySelectorAll("form.bd-search").forEach(attach);
