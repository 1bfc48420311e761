/** Kendall's tau-b and the Mantel test's new names, as in `layerlab.statistics`. */

/** +1 where entries a and b are concordant, -1 where discordant, 0 where one of the two is a tie. */
export function agreement(x, y, a, b) {
  return Math.sign(x[b] - x[a]) * Math.sign(y[b] - y[a]);
}

/** Every two of n entries, once: [[0, 1], [0, 2], …], the order of `scipy.spatial.distance.pdist`. */
export function pairsOf(n) {
  const pairs = [];
  for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) pairs.push([a, b]);
  return pairs;
}

/** Kendall's tau-b of two paired lists; NaN where one is constant. */
export function kendallTau(x, y) {
  let agreed = 0;
  let byX = 0;
  let byY = 0;
  for (const [a, b] of pairsOf(x.length)) {
    const signX = Math.sign(x[b] - x[a]);
    const signY = Math.sign(y[b] - y[a]);
    agreed += signX * signY;
    byX += signX * signX;
    byY += signY * signY;
  }
  return agreed / Math.sqrt(byX * byY);
}

/** How many items have that many pairs. */
export function itemsOf(nPairs) {
  return (1 + Math.sqrt(1 + 8 * nPairs)) / 2;
}

/** Place of the pair of items i and j among the pairs of n items. */
export function placeOf(i, j, n) {
  const [low, high] = i < j ? [i, j] : [j, i];
  return low * n - (low * (low + 1)) / 2 + high - low - 1;
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
