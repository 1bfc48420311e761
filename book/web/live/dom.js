const HERE = document.currentScript.src; // …/_static/web/live.js

/** The address of what lies beside this script. */
export function beside(name) {
  return new URL(name, HERE);
}

/** An element with properties and children. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** A button that does something. */
export function button(words, act, className = "") {
  const made = make("button", { type: "button", className: `live-button ${className}`.trim() }, words);
  made.addEventListener("click", act);
  return made;
}
