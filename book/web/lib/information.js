/** Mutual information by boxes and by neighbours, as in `layerlab.information`. */

import { digamma } from "./measures.js";

/** The box, from 0, that each value falls into: boxes of equal width between the extremes. */
export function boxNumbers(values, bins) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  return values.map((v) => Math.min(bins - 1, Math.floor(((v - low) / (high - low)) * bins)));
}

/** How many points fall into each box: counts[x][y]. */
export function boxCounts(x, y, bins) {
  const counts = Array.from({ length: bins }, () => new Array(bins).fill(0));
  const columns = boxNumbers(x, bins);
  const rows = boxNumbers(y, bins);
  columns.forEach((column, i) => (counts[column][rows[i]] += 1));
  return counts;
}

/** Entropy in bits of the shares that counts stand for; an empty box is kept from -Infinity. */
export function entropy(counts) {
  const total = counts.reduce((a, b) => a + b, 0);
  return -counts.reduce((sum, n) => sum + (n / total) * Math.log2(n / total + 1e-13), 0);
}

/** Mutual information in bits from a table of counts: H(x) + H(y) - H(x, y). */
export function histogramInformation(counts) {
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const columns = counts.map(sum);
  const rows = counts[0].map((_, j) => sum(counts.map((column) => column[j])));
  return entropy(columns) + entropy(rows) - entropy(counts.flat());
}

/** A point's neighbourhood: the indices of its k nearest others, its radius (the larger of the two
 * gaps to the k-th), and how many others lie inside its column and its row. */
export function neighbourhood(x, y, i, k) {
  const gap = (j) => Math.max(Math.abs(x[j] - x[i]), Math.abs(y[j] - y[i]));
  const others = x.map((_, j) => j).filter((j) => j !== i);
  const nearest = others.sort((a, b) => gap(a) - gap(b)).slice(0, k);
  const radius = gap(nearest[k - 1]);
  const inside = (list) => others.filter((j) => Math.abs(list[j] - list[i]) < radius).length;
  return { nearest, radius, inColumn: inside(x), inRow: inside(y) };
}

/** What one point brings to the estimate, in nats; their mean is the estimate. */
export function ksgTerm({ inColumn, inRow }, k, n) {
  return digamma(k) + digamma(n) - digamma(inColumn + 1) - digamma(inRow + 1);
}

/** Each value over the standard deviation. */
export function standardised(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  return values.map((v) => v / Math.sqrt(variance));
}

/** The nearest-neighbour estimate in nats, negative ones included; the unit of each axis is its own. */
export function ksgInformation(x, y, k) {
  const terms = x.map((_, i) => ksgTerm(neighbourhood(x, y, i, k), k, x.length));
  return terms.reduce((a, b) => a + b, 0) / x.length;
}
