/** Where one edits a cell: all of its text, or only its blanks.
 *
 * Both kinds of editor have `element`, `code()`, `state()` (what to keep, null while nothing is
 * typed), `restore(state)`, `open()` (the first blank without an answer) and `focus()`. */

import { make } from "./dom.js";
import { coloured } from "./python.js";

export const BLANK = "____";
const BLANKS = /(?<!\w)____(?!\w)/;
const INDENT = "    ";

/** The editor for the code of a cell, whose number is for those who hear it. */
export function editorOf(source, number, changed) {
  return BLANKS.test(source) ? blanksOf(source, number, changed) : textOf(source, number, changed);
}

/** Write where the cursor is, so that the browser can undo it. */
function type(area, text) {
  if (!document.execCommand("insertText", false, text)) area.setRangeText(text);
}

/** Move the lines of a selection to the right or the left. */
function indent(area, back) {
  const { value, selectionStart, selectionEnd } = area;
  if (!back && selectionStart === selectionEnd) {
    const column = selectionStart - (value.lastIndexOf("\n", selectionStart - 1) + 1);
    type(area, INDENT.slice(column % INDENT.length));
    return;
  }
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  area.setSelectionRange(start, selectionEnd);
  const lines = value.slice(start, selectionEnd).split("\n");
  const moved = lines.map((line) => (back ? line.replace(/^ {1,4}/, "") : line && INDENT + line)).join("\n");
  type(area, moved);
  area.setSelectionRange(start, start + moved.length);
}

/** Begin a line as the last one begins, and deeper after a colon. */
function newLine(area) {
  const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
  const [space] = line.match(/^ */);
  type(area, `\n${space}${/:\s*(#.*)?$/.test(line) ? INDENT : ""}`);
}

/** Let Tab indent, unless Escape was pressed before: then it leaves, as elsewhere. */
function takeKeys(area) {
  let leaving = false;
  area.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "Tab" && plain && !leaving) {
      event.preventDefault();
      indent(area, event.shiftKey);
    } else if (event.key === "Enter" && plain && !event.shiftKey) {
      event.preventDefault();
      newLine(area);
    }
    if (event.key !== "Shift") leaving = event.key === "Escape";
  });
  area.addEventListener("blur", () => (leaving = false));
}

function field(name, label) {
  const made = make(name, { autocomplete: "off", spellcheck: false });
  made.setAttribute("autocapitalize", "off");
  made.setAttribute("autocorrect", "off");
  made.setAttribute("aria-label", label);
  return made;
}

function textOf(source, number, changed) {
  const area = field("textarea", `Code of cell ${number}`);
  area.setAttribute("aria-describedby", "live-keys");
  area.rows = 1;
  const behind = make("pre");
  behind.setAttribute("aria-hidden", "true");
  const element = make("div", { className: "live-editor highlight" }, behind, area);
  const draw = () => behind.replaceChildren(...coloured(area.value), "\n");
  const restore = (text) => {
    area.value = typeof text === "string" ? text : source;
    draw();
  };
  area.addEventListener("input", () => {
    draw();
    changed();
  });
  takeKeys(area);
  restore(null);
  return {
    element,
    restore,
    code: () => area.value,
    state: () => (area.value === source ? null : area.value),
    open: () => null,
    focus: () => area.focus(),
  };
}

/** One blank: a line for an expression, several for statements. */
function blankField(before, after, label) {
  const isBlock = /(^|\n) *$/.test(before) && /^\s*(#.*)?(\n|$)/.test(after);
  const made = field(isBlock ? "textarea" : "input", label);
  made.className = "live-blank";
  made.placeholder = BLANK;
  if (isBlock) {
    made.setAttribute("aria-describedby", "live-keys");
    takeKeys(made);
  }
  return { made, column: before.length - (before.lastIndexOf("\n") + 1) };
}

/** Give a blank the room that its answer needs. */
function fit(made) {
  const lines = made.value.split("\n");
  made.style.width = `${Math.max(BLANK.length, ...lines.map((line) => line.length)) + 2}ch`;
  if (made.rows) made.rows = lines.length;
}

function blanksOf(source, number, changed) {
  const parts = source.split(BLANKS);
  const label = (i) => `Blank ${i + 1} of ${parts.length - 1} in cell ${number}`;
  const blanks = parts.slice(1).map((after, i) => blankField(parts.slice(0, i + 1).join(BLANK), after, label(i)));
  const pre = make("pre", {}, ...coloured(parts[0]));
  blanks.forEach(({ made }, i) => {
    pre.append(made, ...coloured(parts[i + 1]));
    made.addEventListener("input", () => {
      fit(made);
      changed();
    });
  });
  const answers = () => blanks.map(({ made }) => made.value);
  const restore = (kept) =>
    blanks.forEach(({ made }, i) => {
      made.value = (Array.isArray(kept) && kept[i]) || "";
      fit(made);
    });
  const written = ({ made, column }) =>
    made.value.trim() ? made.value.trimEnd().replaceAll("\n", `\n${" ".repeat(column)}`) : BLANK;
  const open = () => blanks.find(({ made }) => !made.value.trim())?.made ?? null;
  restore(null);
  return {
    element: make("div", { className: "live-blanks highlight" }, pre),
    restore,
    open,
    code: () => parts.slice(1).reduce((code, part, i) => code + written(blanks[i]) + part, parts[0]),
    state: () => (answers().some(Boolean) ? answers() : null),
    focus: () => (open() ?? blanks[0].made).focus(),
  };
}
