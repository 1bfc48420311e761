// What every page does: loads the search when somebody turns to it, hides the table of contents of
// the book where that has a column, takes its fonts from a disk, too, and unfolds all before it is
// printed.

const WIDE = matchMedia("(min-width: 992px)");

/** Load the search when its field is first turned to; on its own page, at once. */
function offerSearch(form) {
  const load = () => {
    const script = document.createElement("script");
    script.src = form.dataset.search;
    document.head.append(script);
  };
  if (form.closest(".bd-search-container")) load();
  else form.addEventListener("focusin", load, { once: true });
}

/** Hide or show the book's contents, which the theme would open as a dialog at every width. */
function foldContents(button, sidebar) {
  const toggle = (event) => {
    if (!WIDE.matches) return;
    event.stopImmediatePropagation();
    const hidden = sidebar.classList.toggle("pst-sidebar-hidden");
    button.setAttribute("aria-expanded", String(!hidden));
  };
  button.addEventListener("click", toggle, { capture: true });
}

/** From a disk, a font that waits for the next page never comes: there it comes late. */
function swapFontsIn() {
  const sheet = document.querySelector('link[href$="_static/site.css"]').cloneNode();
  sheet.href = sheet.href.replace("site.css", "late-fonts.css");
  document.head.append(sheet);
}

if (location.protocol === "file:") swapFontsIn();

const forms = document.querySelectorAll("form.bd-search");
const page = [...forms].find((form) => form.closest(".bd-search-container"));
if (forms.length) offerSearch(page ?? forms[0]);

const button = document.querySelector(".primary-toggle");
const sidebar = document.querySelector("#pst-primary-sidebar");
if (button && sidebar) foldContents(button, sidebar);

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
