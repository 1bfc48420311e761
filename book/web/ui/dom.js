/** Elements of a page, made in one line. */

const SVG = "http://www.w3.org/2000/svg";

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat());
  return element;
}

/** An HTML element: attributes by name, `onclick` and the like as listeners. */
export const html = (tag, attributes = {}, ...children) =>
  make(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) =>
  make(document.createElementNS(SVG, tag), attributes, children);

/** A number as the text around it is written: a minus sign, so many decimal places. */
export function decimals(value, places = 2) {
  const text = value.toFixed(places);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** From one number to another; one alone where both are written alike. */
export function span(low, high) {
  const [first, last] = [low, high].map((value) => decimals(value));
  return first === last ? first : `${first} to ${last}`;
}

/** Call that function with the arguments of the last of many calls, once a frame. */
export function oncePerFrame(act) {
  let waiting = null;
  return (...args) => {
    if (waiting === null) requestAnimationFrame(() => {
      const last = waiting;
      waiting = null;
      act(...last);
    });
    waiting = args;
  };
}
