/** Minkowski distances, as in `layerlab.distances`. */

/** The p-norm of a list of differences; p may be Infinity. Divided by the largest first, so that
 * no power overflows. */
export function norm(differences, p) {
  const sizes = differences.map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0 || p === Infinity) return largest;
  return largest * sizes.reduce((sum, size) => sum + (size / largest) ** p, 0) ** (1 / p);
}

/** The share of the largest difference in the sum of |difference|^p. */
export function largestShare(differences, p) {
  const sizes = differences.map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  if (p === Infinity) return 1 / sizes.filter((size) => size === largest).length;
  return 1 / sizes.reduce((sum, size) => sum + (size / largest) ** p, 0);
}

/** Points at distance 1 from the origin, once around: [[x, y], …]. */
export function unitBall(p, steps = 240) {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / steps;
    const ray = [Math.cos(angle), Math.sin(angle)];
    const length = norm(ray, p);
    return ray.map((part) => part / length);
  });
}
