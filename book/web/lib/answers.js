/** Whether an answer is right, and what is wrong with an order. */

/** A number as people write it, NaN if it is none: a comma for the point, a sign of either kind. */
export function readNumber(text) {
  const plain = text.trim().replace("−", "-").replace(/^([-+]?\d+),(\d+)$/, "$1.$2");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

/** Whether a number is near enough: `off` is how far off it may be, "0.1" or, of the value, "10%". */
export function near(given, value, off) {
  const far = off.endsWith("%") ? (Math.abs(value) * parseFloat(off)) / 100 : parseFloat(off);
  return Math.abs(given - value) <= far * (1 + 1e-9);
}

/** Where places, in the order a reader has put them, first go wrong; -1 if they do not. */
export function firstWrong(places) {
  return places.findIndex((place, i) => place !== i);
}
