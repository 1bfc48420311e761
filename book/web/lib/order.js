/** What tau counts, and the Mantel test's new names, as in `layerlab.statistics`. */

import { pairsOf, placeOf } from "./pairs.js";

/** +1 where entries a and b are concordant, -1 where discordant, 0 where one of the two is a tie. */
export function agreement(x, y, a, b) {
  return Math.sign(x[b] - x[a]) * Math.sign(y[b] - y[a]);
}

/** The pairs of a distance matrix after item i has got the name of item names[i]. */
export function relabel(pairs, names) {
  const n = names.length;
  return pairsOf(n).map(([i, j]) => pairs[placeOf(names[i], names[j], n)]);
}

/** A permutation test's p-value: the observed value is one of those that could have been. */
export function permutationP(drawn, observed) {
  const least = Math.abs(observed) - 1e-12; // the same value, summed in another order
  return (drawn.filter((value) => Math.abs(value) >= least).length + 1) / (drawn.length + 1);
}
