/** The pairs of some items: every two of them once, in the order of `scipy.spatial.distance.pdist`. */

/** Every two of n items: [[0, 1], [0, 2], …]. */
export function pairsOf(n) {
  const pairs = [];
  for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) pairs.push([a, b]);
  return pairs;
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
