/** What a kernel sends, below the cell that asked, as Jupyter shows it. */

import { make } from "./dom.js";

const ANSI = /\x1b\[[0-9;?]*[A-Za-z]/g;
const MOST = 200_000; // letters of a stream; an endless loop may print for long
const PICTURES = ["image/png", "image/jpeg"];
// As it is written where nothing sets it: else one would read of an object that has the text.
const WRITTEN = ["text/markdown", "text/latex", "application/javascript", "text/plain"];
const UNFILLED = "✗ A blank ____ in this cell is still to be filled.";

const joined = (text) => (Array.isArray(text) ? text.join("") : String(text));

/** Write a text that may go back to a line's beginning, as progress bars do. */
const settled = (text) => text.replaceAll("\r\n", "\n").replace(/^.*\r(?!$)/gm, "");

function printed(text, kind) {
  const pre = make("pre", {}, text);
  return make("div", { className: `output ${kind}` }, make("div", { className: "highlight" }, pre));
}

function shown(data, metadata) {
  const other = (html, className) => make("div", { className, innerHTML: joined(html) });
  if (data["text/html"]) return other(data["text/html"], "output text_html");
  if (data["image/svg+xml"]) return other(data["image/svg+xml"], "output image_svg");
  const kind = PICTURES.find((name) => data[name]);
  const written = WRITTEN.find((name) => data[name]);
  const words = written && joined(data[written]);
  if (kind) {
    const alt = metadata?.[kind]?.alt || words || "A picture that this cell made";
    const src = `data:${kind};base64,${joined(data[kind]).trim()}`;
    return make("div", { className: "output" }, make("img", { src, alt }));
  }
  return words ? printed(words, written.replace("/", "_")) : null;
}

/** The text of an error: what a check says, or the way to it. */
function told({ ename, evalue, traceback }) {
  if (ename === "NameError" && evalue.includes("'____'")) return UNFILLED;
  return (traceback?.length ? traceback.join("\n") : `${ename}: ${evalue}`).replaceAll(ANSI, "");
}

/** Fill an element with what a cell's run sends; returns the function that takes the messages. */
export function receiver(place) {
  let last = null; // the stream that goes on
  let clears = false;
  const updates = new Map(); // of displays that may change
  place.replaceChildren();
  place.classList.remove("right", "wrong");
  const mark = (text) => {
    const sign = { "✓": "right", "✗": "wrong" }[text.trimStart()[0]];
    if (sign) place.classList.add(sign);
  };
  const add = (element) => {
    if (clears) place.replaceChildren();
    clears = false;
    if (element) place.append(element);
    return element;
  };
  const stream = ({ name, text }) => {
    if (clears || last?.name !== name) last = { name, text: "", element: add(printed("", `stream ${name}`)) };
    if (last.text.length > MOST) return;
    last.text = settled(last.text + joined(text).replaceAll(ANSI, ""));
    const isLong = last.text.length > MOST;
    last.element.querySelector("pre").textContent = isLong ? `${last.text.slice(0, MOST)}\n… and so on` : last.text;
    if (place.firstChild === last.element) mark(last.text);
  };
  const display = ({ data, metadata, transient }) => {
    last = null;
    const made = add(shown(data, metadata));
    if (made && transient?.display_id) updates.set(transient.display_id, made);
  };
  const update = ({ data, metadata, transient }) => {
    const made = shown(data, metadata);
    if (made) updates.get(transient?.display_id)?.replaceWith(made);
    if (made) updates.set(transient?.display_id, made);
  };
  const error = (content) => {
    last = null;
    const text = told(content);
    add(printed(text, text.startsWith("✗") ? "stream" : "traceback"));
    mark(text);
  };
  const take = { stream, error, display_data: display, execute_result: display, update_display_data: update };
  take.clear_output = ({ wait }) => {
    last = null;
    if (wait) clears = true;
    else place.replaceChildren();
  };
  return (type, content) => take[type]?.(content);
}
